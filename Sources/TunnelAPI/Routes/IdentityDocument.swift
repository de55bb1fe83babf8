internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// The identity object: every member that the published client reads, the channels that are not offered as null
/// (control plane, section 4).
struct IdentityDocument {
    /// Channels that other services attach to an identity; clients read null as "none".
    static let absentMembers = [
        "email_address", "mailbox", "phone_number", "imessage_number", "mail_filter_mode", "mail_inbound_filter_mode",
        "mail_outbound_filter_mode", "phone_filter_mode", "phone_inbound_filter_mode", "phone_outbound_filter_mode",
        "imessage_filter_mode", "slack_filter_mode", "slack_inbound_filter_mode", "slack_outbound_filter_mode",
    ]

    let snapshot: IdentitySnapshot
    let zone: Zone

    var value: JSONValue {
        let identity = snapshot.identity
        let own: [JSONMember] = [
            JSONMember("id", .string(identity.id.text)),
            JSONMember("organization_id", .string(identity.organizationID.text)),
            JSONMember("agent_handle", .string(identity.handle.text)),
            JSONMember("display_name", .optional(identity.displayName)),
            JSONMember("description", .optional(identity.description)),
            JSONMember("imessage_enabled", .bool(false)),
            JSONMember("contact_sharing_enabled", .bool(false)),
            JSONMember("signing_key_configured", .bool(identity.signingKey != nil)),
            JSONMember("signing_key_created_at", .time(identity.signingKey?.setAt)),
            JSONMember("created_at", .time(identity.createdAt)),
            JSONMember("updated_at", .time(identity.updatedAt)),
            JSONMember("tunnel", tunnel),
        ]
        return .object(own + Self.absentMembers.map { JSONMember($0, .null) })
    }

    /// As much of the tunnel as identities show; the whole of it is at `GET /tunnels/{id}`.
    private var tunnel: JSONValue {
        let tunnel = snapshot.tunnel
        return .members([
            "id": .string(tunnel.id.text),
            "tunnel_name": .string(tunnel.name.text),
            "agent_identity_id": .optional(tunnel.identityID?.text),
            "tls_mode": .string(tunnel.tlsMode.rawValue),
            "status": .string(tunnel.status(at: snapshot.moment).rawValue),
            "public_host": .string(PublicHost(name: tunnel.name, zone: zone).text),
            "zone": .string(zone.text),
            "created_at": .time(tunnel.createdAt),
            "updated_at": .time(tunnel.updatedAt),
        ])
    }
}
