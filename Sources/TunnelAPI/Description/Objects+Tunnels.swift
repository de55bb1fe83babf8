internal import TunnelDomain
internal import TunnelWire

extension NamedSchema {
    static let tunnel = NamedSchema(
        "Tunnel", "A public name, its state, and who may serve it.",
        [
            SchemaProperty("id", .uuid, "Unique identifier."),
            SchemaProperty("organization_id", .organizationID, "The owning organization."),
            SchemaProperty("agent_identity_id", .uuid.orNull, "The owning identity; null when the tunnel stands alone."),
            SchemaProperty("tunnel_name", .name, "The label in front of the zone in the public host."),
            SchemaProperty("description", .description.orNull, "Free text."),
            SchemaProperty("metadata", .anyObject, "A free JSON object, given back as it was set."),
            SchemaProperty("tls_mode", .tlsMode, "Who ends third parties' TLS; fixed at creation."),
            SchemaProperty("status", .oneOf(TunnelStatus.allCases.map(\.rawValue))),
            SchemaProperty("public_host", .string.example("my-agent.localhost"), "Where third parties reach the tunnel."),
            SchemaProperty("zone", .string.example("localhost"), "Where the agent connects: `https://{zone}/_system/connect`."),
            SchemaProperty("cert_pem", .string.orNull, "The signed certificate of a passthrough tunnel."),
            SchemaProperty("cert_fingerprint_sha256", .string.orNull, "SHA-256 of the certificate."),
            SchemaProperty("cert_expires_at", .time.orNull, "Renew the certificate before."),
            SchemaProperty("last_connected_at", .time.orNull, "The newest hello of an agent."),
            SchemaProperty("last_connected_ip_addr", .string.orNull, "The address that it came from."),
            SchemaProperty("last_disconnected_at", .time.orNull, "When the last agent went away."),
            SchemaProperty(
                "restore_deadline_at", .time.orNull, "Set while `delete_pending`: until then the tunnel can be restored."),
            SchemaProperty("currently_connected", .boolean, "Whether an agent is connected now."),
            SchemaProperty(
                "connected_agents", .integer(0...1_000_000),
                "How many are: more than one when they share the tunnel, or while one leaves."),
            SchemaProperty("created_at", .time),
            SchemaProperty("updated_at", .time),
        ])

    static let createdTunnel = NamedSchema(
        "CreatedTunnel", "A new tunnel and its secret, which is shown this once.",
        [SchemaProperty("tunnel", .ref(.tunnel)), SchemaProperty("connect_secret", .connectSecret)])

    static let tunnelList = NamedSchema(
        "TunnelList", "Tunnels, newest first.",
        [SchemaProperty("tunnels", .array(of: .ref(.tunnel))), .nextCursor])

    static let connectSecret = NamedSchema(
        "ConnectSecret", "A new secret, which is shown this once.", [SchemaProperty("connect_secret", .connectSecret)])

    static let signedCertificate = NamedSchema(
        "SignedCertificate", "A certificate for the tunnel's public host; both texts end in a newline.",
        [
            SchemaProperty("cert_pem", .string, "The certificate."),
            SchemaProperty("chain_pem", .string, "The certificates that lead from it to the issuer's root."),
            SchemaProperty("cert_fingerprint_sha256", .string),
            SchemaProperty("cert_expires_at", .time),
        ])

    // MARK: - Requests

    static let tunnelCreation = NamedSchema(
        "TunnelCreation", "What a new tunnel is to be.",
        [
            SchemaProperty("tunnel_name", .name, "Lower case; unique among all tunnels of the service, and not reserved."),
            .optional("description", .description.orNull, "Free text."),
            .optional("tls_mode", .tlsMode, "`edge` when it is missing."),
        ])

    static let tunnelChange = NamedSchema(
        "TunnelChange",
        JSONSchema.object([
            .optional("description", .description.orNull, "A new text; null clears it, missing keeps it."),
            .optional(
                "metadata", .anyObject.orNull,
                "A new object of at most \(Tunnel.metadataByteCountMax) bytes; null or `{}` clears it, missing keeps it."),
        ]).with(
            "not",
            .members(["anyOf": .array(["tunnel_name", "tls_mode"].map { .members(["required": .array([.string($0)])]) })])
        ).described("What is to change; `tunnel_name` and `tls_mode` cannot and must not be named."))

    static let signingRequest = NamedSchema(
        "SigningRequest", "A PKCS #10 request for the tunnel's public host and nothing else.",
        [SchemaProperty("csr_pem", .string, "The request in PEM; key RSA from 2048 bits, EC P-256 or P-384, or Ed25519.")])
}

extension JSONSchema {
    static let tlsMode = oneOf(TLSMode.allCases.map(\.rawValue))
    fileprivate static let description = string(max: Tunnel.descriptionScalarCountMax, pattern: #"^[^\u0000]*$"#)
    fileprivate static let connectSecret = string(pattern: "^tnl_[0-9a-f]{32}$").example("tnl_8f3a92b1c4d5e6f7a8b9c0d1e2f3a4b5")
}
