public import FoundationEssentials

/// An identity as the REST API shows it (control plane §4): an agent with a handle, which owns exactly one tunnel.
public struct IdentityRecord: Sendable, Hashable, Codable {
    /// A UUID.
    public var id: String
    public var organizationID: String?
    /// Also the name of its tunnel; the same rules hold for both.
    public var agentHandle: String
    public var displayName: String?
    public var description: String?
    /// Nil when the server shows none.
    public var tunnel: IdentityTunnel?
    /// Whether there is a webhook signing key.
    public var signingKeyConfigured: Bool?
    public var createdAt: Date?
    public var updatedAt: Date?

    private enum CodingKeys: String, CodingKey {
        case id, description, tunnel
        case organizationID = "organization_id"
        case agentHandle = "agent_handle"
        case displayName = "display_name"
        case signingKeyConfigured = "signing_key_configured"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }
}

/// An identity's tunnel in short; ``CulvertClient/tunnel(id:)`` gives all of it.
public struct IdentityTunnel: Sendable, Hashable, Codable {
    /// A UUID.
    public var id: String
    public var tunnelName: String
    public var tlsMode: TunnelRecord.TLSMode
    public var status: TunnelRecord.Status
    /// The host that third parties call.
    public var publicHost: String?
    public var zone: String?

    private enum CodingKeys: String, CodingKey {
        case id, status, zone
        case tunnelName = "tunnel_name"
        case tlsMode = "tls_mode"
        case publicHost = "public_host"
    }
}

/// A webhook signing key, shown this once.
public struct NewSigningKey: Sendable, Hashable, Codable {
    public var signingKey: String
    public var createdAt: Date?

    private enum CodingKeys: String, CodingKey {
        case signingKey = "signing_key"
        case createdAt = "created_at"
    }
}

/// Whether an identity has a webhook signing key; the key itself is not shown again.
public struct SigningKeyStatus: Sendable, Hashable, Codable {
    public var configured: Bool
    /// When it was made or last rotated.
    public var createdAt: Date?

    private enum CodingKeys: String, CodingKey {
        case configured
        case createdAt = "created_at"
    }
}
