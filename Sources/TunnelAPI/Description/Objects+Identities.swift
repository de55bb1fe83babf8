internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

extension NamedSchema {
    static let identity = NamedSchema(
        "Identity", "An agent by its handle, with its tunnel. Channels that this service does not offer are null.",
        [
            SchemaProperty("id", .uuid, "Unique identifier."),
            SchemaProperty("organization_id", .organizationID, "The owning organization."),
            SchemaProperty("agent_handle", .name, "Unique in the service, and the name of the tunnel."),
            SchemaProperty("display_name", .displayName.orNull, "What people call the agent."),
            SchemaProperty("description", .identityDescription.orNull, "Free text."),
            SchemaProperty("imessage_enabled", .boolean, "Always false: not offered."),
            SchemaProperty("contact_sharing_enabled", .boolean, "Always false: not offered."),
            SchemaProperty("signing_key_configured", .boolean, "Whether a webhook signing key was made."),
            SchemaProperty("signing_key_created_at", .time.orNull, "When it was made or last rotated."),
            SchemaProperty("created_at", .time),
            SchemaProperty("updated_at", .time),
            SchemaProperty("tunnel", .ref(.tunnelSummary)),
        ] + IdentityDocument.absentMembers.map { SchemaProperty($0, .null) })

    private static let tunnelSummary = NamedSchema(
        "TunnelSummary", "As much of an identity's tunnel as the identity shows.",
        [
            SchemaProperty("id", .uuid, "The whole tunnel is at `GET /api/v1/tunnels/{id}`."),
            SchemaProperty("tunnel_name", .name, "The identity's handle."),
            SchemaProperty("agent_identity_id", .uuid, "The identity."),
            SchemaProperty("tls_mode", .tlsMode),
            SchemaProperty("status", .oneOf(TunnelStatus.allCases.map(\.rawValue))),
            SchemaProperty("public_host", .string.example("my-agent.localhost"), "Where third parties reach the tunnel."),
            SchemaProperty("zone", .string.example("localhost"), "Where the agent connects."),
            SchemaProperty("created_at", .time),
            SchemaProperty("updated_at", .time),
        ])

    static let identityCreation = NamedSchema(
        "IdentityCreation", "What a new identity is to be.",
        [
            SchemaProperty("agent_handle", .handle.example("@my-agent"), "A leading `@` is dropped, capitals are lowered."),
            .optional("display_name", .displayName.orNull, "The handle when it is missing."),
            .optional("description", .identityDescription.orNull, "Free text."),
            .optional(
                "tunnel", .object([.optional("tls_mode", .tlsMode, "`edge` when it is missing.")]).orNull, "Its tunnel."),
        ] + .otherChannels)

    static let identityChange = NamedSchema(
        "IdentityChange", "What is to change; what is missing stays.",
        [
            .optional("agent_handle", .handle.example("new-name"), "Renames the tunnel as well: the old host stops."),
            .optional("display_name", .displayName.orNull, "Null clears it."),
            .optional("description", .identityDescription.orNull, "Null clears it."),
        ] + .otherChannels)

    static let signingKey = NamedSchema(
        "SigningKey", "A webhook signing key, which is shown this once.",
        [
            SchemaProperty("signing_key", .string(pattern: "^whsec_[0-9A-Za-z+/]{43}=$"), "Verifies `X-Inkbox-Signature`."),
            SchemaProperty("created_at", .time),
        ])

    static let signingKeyStatus = NamedSchema(
        "SigningKeyStatus", "Whether a webhook signing key was made.",
        [
            SchemaProperty("configured", .boolean),
            SchemaProperty("created_at", .time.orNull, "When it was made or last rotated."),
        ])

    static let apiKeyRecord = NamedSchema(
        "APIKeyRecord", "An API key without its secret.",
        [
            SchemaProperty("id", .apiKeyID, "Identifies the key; it is no secret."),
            SchemaProperty("organization_id", .organizationID),
            SchemaProperty(
                "created_by", .string, "The key that asked for it, the identity that rotated its own, or the service."),
            SchemaProperty("creator_type", .oneOf(KeyCreatorType.allCases.map(\.rawValue)), "`agent` after a self-rotation."),
            SchemaProperty("scoped_identity_id", .uuid.orNull, "The one identity that it acts for; null for an admin key."),
            SchemaProperty("scopes", .array(of: .string).orNull, "What it is narrowed to; null for all that its owner may."),
            SchemaProperty(
                "allowed_ip_ranges", .array(of: .string).orNull, "From where it may be used (CIDR); null for everywhere."),
            SchemaProperty("label", .keyLabel),
            SchemaProperty("description", .keyDescription.orNull),
            SchemaProperty("status", .oneOf(["active", "revoked"]), "An expired key is `revoked` too."),
            SchemaProperty("last4", .string, "The end of the key."),
            SchemaProperty("display_prefix", .string, "The beginning of the key."),
            SchemaProperty("last_used_at", .time.orNull, "Written at most once a minute."),
            SchemaProperty("expires_at", .time.orNull, "From then on the key counts no more."),
            SchemaProperty("revoked_at", .time.orNull, "When it was ended."),
            SchemaProperty("created_at", .time),
            SchemaProperty("updated_at", .time),
            SchemaProperty("replaced_by", .apiKeyID.orNull, "The key that it was rotated into."),
        ])

    static let apiKeyRotation = NamedSchema(
        "APIKeyRotation", "How the old key ends.",
        [
            .optional(
                "overlap_hours", .integer(0...KeyOverlap.hoursMax).orNull,
                "For so many hours both keys count; at once when it is 0 or missing.")
        ])

    static let rotatedAPIKey = NamedSchema(
        "RotatedAPIKey", "A new key, which is shown this once, and the old one's record.",
        newKey + [SchemaProperty("replaced_record", .ref(.apiKeyRecord), "The old key as it is now.")])

    static let apiKeyCreation = NamedSchema(
        "APIKeyCreation", "For whom a new key is to be.",
        [
            SchemaProperty("label", .keyLabel, "What people call the key."),
            .optional("description", .keyDescription.orNull, "Free text."),
            .optional(
                "scoped_identity_id", .uuid.orNull,
                "The identity; without one the key is for the whole organization and has to be narrowed by `scopes`."),
            .optional("expires_at", .time.orNull, "A moment in the future; never when it is missing."),
            .optional(
                "scopes", .array(of: .keyScope).orNull,
                "All that the key is to do. `tunnel:{name}:connect` is for connecting an agent of one tunnel and nothing else."
            ),
            .optional(
                "allowed_ip_ranges", .array(of: .addressRange).orNull,
                "From where the key may be used, by callers and by agents, as IPv4 or IPv6 ranges in CIDR notation."),
        ])

    static let createdAPIKey = NamedSchema(
        "CreatedAPIKey", "A new key and the secret with which its agent can rotate it, which are shown this once.", newKey)

    private static let newKey = [
        SchemaProperty("api_key", .apiKey, "What goes into `X-API-Key`."),
        SchemaProperty("rotation_secret", .rotationSecret.orNull, "What goes into `rotate-key`; null without an identity."),
        SchemaProperty("record", .ref(.apiKeyRecord)),
    ]

    static let whoAmI = NamedSchema(
        "WhoAmI",
        JSONSchema.either([.ref(.whoAmIKey), .ref(.whoAmIApp)]).described("What the credential is; `auth_type` tells which."))

    private static let whoAmIKey = NamedSchema(
        "WhoAmIKey", "An API key; times are Unix seconds here.",
        [
            SchemaProperty("auth_type", .oneOf(["api_key"])),
            SchemaProperty("auth_subtype", .oneOf(["api_key.admin_scoped", "api_key.agent_scoped.claimed"])),
            SchemaProperty("scope", .null),
            SchemaProperty("organization_id", .organizationID),
            SchemaProperty("created_by", .string),
            SchemaProperty("creator_type", .oneOf(KeyCreatorType.allCases.map(\.rawValue))),
            SchemaProperty("key_id", .apiKeyID),
            SchemaProperty("label", .string),
            SchemaProperty("description", .string.orNull),
            SchemaProperty("scoped_identity_id", .uuid.orNull),
            SchemaProperty("created_at", .unixSeconds),
            SchemaProperty("last_used_at", .unixSeconds.orNull),
            SchemaProperty("expires_at", .unixSeconds.orNull),
            SchemaProperty("scopes", .array(of: .string).orNull, "What the key is narrowed to; null for all."),
            SchemaProperty("allowed_ip_ranges", .array(of: .string).orNull, "From where it may be used; null for everywhere."),
            SchemaProperty(
                "connectable_tunnels", .array(of: .ref(.connectableTunnel)), "The tunnels of `tunnel:{name}:connect`."),
        ])

    private static let connectableTunnel = NamedSchema(
        "ConnectableTunnel", "What an agent has to know of the tunnel that its key is for.",
        [
            SchemaProperty("id", .uuid), SchemaProperty("tunnel_name", .name),
            SchemaProperty("agent_identity_id", .uuid.orNull), SchemaProperty("tls_mode", .tlsMode),
            SchemaProperty("status", .oneOf(TunnelStatus.allCases.map(\.rawValue))),
            SchemaProperty("public_host", .string.example("my-agent.localhost")),
            SchemaProperty("zone", .string.example("localhost")),
        ])

    private static let whoAmIApp = NamedSchema(
        "WhoAmIApp", "A machine client.",
        [
            SchemaProperty("auth_type", .oneOf(["app"])),
            SchemaProperty("auth_subtype", .oneOf(["app.client_secret"])),
            SchemaProperty("scope", .string, "Its scopes, with blanks between them."),
            SchemaProperty("organization_id", .organizationID),
            SchemaProperty("client_id", .string),
            SchemaProperty("label", .string),
        ])
}

extension JSONSchema {
    /// A handle as people write it.
    fileprivate static let handle: JSONSchema = {
        let (min, max) = (TunnelName.byteCountMin, TunnelName.byteCountMax)
        return .either([
            .string(min: min, max: max, pattern: "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$"),
            .string(min: min + 1, max: max + 1, pattern: "^@[A-Za-z0-9]+(-[A-Za-z0-9]+)*$"),
        ])
    }()
    fileprivate static let displayName = string(min: 1, max: Identity.displayNameScalarCountMax, pattern: #"^[^\u0000]*$"#)
    fileprivate static let identityDescription = string(
        max: Identity.descriptionScalarCountMax, pattern: #"^[^\u0000]*$"#)
    fileprivate static let keyLabel = string(min: 1, max: APIKeyFields.labelScalarCountMax, pattern: #"^[^\u0000]*$"#)
    fileprivate static let keyDescription = string(
        max: APIKeyFields.descriptionScalarCountMax, pattern: #"^[^\u0000]*$"#)
    /// A word of the table of scopes, or the one tunnel that an agent may be connected for.
    fileprivate static let keyScope = either([
        .oneOf(KeyScope.allCases.map(\.rawValue)), .string(pattern: "^tunnel:[a-z0-9]+(-[a-z0-9]+)*:connect$"),
    ])
    fileprivate static let addressRange = string(pattern: "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$").example("192.0.2.0/24")
    static let apiKeyID = string.example("ApiKey_0b5f3a52-7c1d-4e2f-9a86-5d4c3b2a1908")
    static let apiKey = string(pattern: "^ApiKey_[0-9A-Za-z]{49}$")
    static let rotationSecret = string(pattern: "^RotSecret_[0-9A-Za-z]{49}$")
}

extension [SchemaProperty] {
    /// What clients of the identity's dialect may send along, as long as it asks for nothing.
    fileprivate static var otherChannels: [SchemaProperty] {
        MemberReader.otherChannels.map {
            .optional($0, JSONSchema(["enum": .array([.null, .bool(false)])]), "Not offered here.")
        }
    }
}
