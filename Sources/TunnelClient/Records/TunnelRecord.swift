public import FoundationEssentials

/// A tunnel as the REST API shows it (control plane §3, "Tunnel object").
public struct TunnelRecord: Sendable, Hashable {
    /// Who ends TLS for third parties. Fixed when the tunnel is created.
    public enum TLSMode: Sendable, Hashable {
        /// The server does, with a certificate for its zone.
        case edge
        /// The agent does, with a certificate of its own; the server passes the bytes on unread.
        case passthrough
        /// A mode that this client does not know.
        case unknown(String)
    }

    /// Where a tunnel is in its life.
    public enum Status: Sendable, Hashable {
        case awaitingCert, active, deletePending, deleted
        /// A status that this client does not know.
        case unknown(String)
    }

    /// Unique, for ever.
    public var id: String
    public var organizationID: String?
    /// The identity that the tunnel belongs to, or nil when it stands alone with a connect secret.
    public var agentIdentityID: String?
    public var tunnelName: String
    public var description: String?
    public var metadata: [String: JSONValue]
    public var tlsMode: TLSMode
    public var status: Status
    /// The host that third parties call, such as `my-agent.tunnels.example`.
    public var publicHost: String?
    /// The zone that the public host lies in, and that agents connect to.
    public var zone: String?
    public var certPEM: String?
    /// SHA-256 over the certificate's DER bytes, as the server writes it.
    public var certFingerprintSHA256: String?
    public var certExpiresAt: Date?
    public var lastConnectedAt: Date?
    public var lastConnectedIPAddress: String?
    public var lastDisconnectedAt: Date?
    /// Until then a deleted tunnel can be restored; set only while the status is ``Status/deletePending``.
    public var restoreDeadlineAt: Date?
    public var currentlyConnected: Bool
    /// How many agents are connected; nil when the server does not say.
    public var connectedAgentCount: Int?
    public var createdAt: Date?
    public var updatedAt: Date?
}

/// A new tunnel, and the secret that its agent connects with. The secret is shown this once.
public struct CreatedTunnel: Sendable, Hashable, Codable {
    public var tunnel: TunnelRecord
    /// Nil when the server gave none.
    public var connectSecret: String?

    private enum CodingKeys: String, CodingKey {
        case tunnel
        case connectSecret = "connect_secret"
    }
}

/// A certificate that the server signed for a passthrough tunnel.
public struct SignedCertificate: Sendable, Hashable, Codable {
    /// Ends in a newline, as ``chainPEM`` does, so that the two can be concatenated.
    public var certPEM: String
    public var chainPEM: String
    public var certFingerprintSHA256: String
    public var certExpiresAt: Date

    private enum CodingKeys: String, CodingKey {
        case certPEM = "cert_pem"
        case chainPEM = "chain_pem"
        case certFingerprintSHA256 = "cert_fingerprint_sha256"
        case certExpiresAt = "cert_expires_at"
    }
}

// MARK: - JSON

extension TunnelRecord: Codable {
    private enum CodingKeys: String, CodingKey {
        case id, description, metadata, status, zone
        case organizationID = "organization_id"
        case agentIdentityID = "agent_identity_id"
        case tunnelName = "tunnel_name"
        case tlsMode = "tls_mode"
        case publicHost = "public_host"
        case certPEM = "cert_pem"
        case certFingerprintSHA256 = "cert_fingerprint_sha256"
        case certExpiresAt = "cert_expires_at"
        case lastConnectedAt = "last_connected_at"
        case lastConnectedIPAddress = "last_connected_ip_addr"
        case lastDisconnectedAt = "last_disconnected_at"
        case restoreDeadlineAt = "restore_deadline_at"
        case currentlyConnected = "currently_connected"
        case connectedAgentCount = "connected_agents"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// Reads a tunnel of either dialect; only `id`, `tunnel_name`, `tls_mode` and `status` must be there.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        id = try members.decode(String.self, forKey: .id)
        organizationID = try members.decodeIfPresent(String.self, forKey: .organizationID)
        agentIdentityID = try members.decodeIfPresent(String.self, forKey: .agentIdentityID)
        tunnelName = try members.decode(String.self, forKey: .tunnelName)
        description = try members.decodeIfPresent(String.self, forKey: .description)
        metadata = try members.decodeIfPresent([String: JSONValue].self, forKey: .metadata) ?? [:]
        tlsMode = try members.decode(TLSMode.self, forKey: .tlsMode)
        status = try members.decode(Status.self, forKey: .status)
        publicHost = try members.decodeIfPresent(String.self, forKey: .publicHost)
        zone = try members.decodeIfPresent(String.self, forKey: .zone)
        certPEM = try members.decodeIfPresent(String.self, forKey: .certPEM)
        certFingerprintSHA256 = try members.decodeIfPresent(String.self, forKey: .certFingerprintSHA256)
        certExpiresAt = try members.decodeIfPresent(Date.self, forKey: .certExpiresAt)
        lastConnectedAt = try members.decodeIfPresent(Date.self, forKey: .lastConnectedAt)
        lastConnectedIPAddress = try members.decodeIfPresent(String.self, forKey: .lastConnectedIPAddress)
        lastDisconnectedAt = try members.decodeIfPresent(Date.self, forKey: .lastDisconnectedAt)
        restoreDeadlineAt = try members.decodeIfPresent(Date.self, forKey: .restoreDeadlineAt)
        currentlyConnected = try members.decodeIfPresent(Bool.self, forKey: .currentlyConnected) ?? false
        connectedAgentCount = try members.decodeIfPresent(Int.self, forKey: .connectedAgentCount)
        createdAt = try members.decodeIfPresent(Date.self, forKey: .createdAt)
        updatedAt = try members.decodeIfPresent(Date.self, forKey: .updatedAt)
    }
}

extension TunnelRecord.TLSMode: Codable {
    /// The word on the wire.
    public var word: String {
        switch self {
        case .edge: "edge"
        case .passthrough: "passthrough"
        case .unknown(let word): word
        }
    }

    /// Reads a word; one that is not known is kept as it is.
    public init(word: String) {
        self = [.edge, .passthrough].first { $0.word == word } ?? .unknown(word)
    }

    /// Reads the word on the wire.
    public init(from decoder: any Decoder) throws {
        self.init(word: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(word)
    }
}

extension TunnelRecord.Status: Codable {
    /// The word on the wire.
    public var word: String {
        switch self {
        case .awaitingCert: "awaiting_cert"
        case .active: "active"
        case .deletePending: "delete_pending"
        case .deleted: "deleted"
        case .unknown(let word): word
        }
    }

    /// Reads a word; one that is not known is kept as it is.
    public init(word: String) {
        self = [.awaitingCert, .active, .deletePending, .deleted].first { $0.word == word } ?? .unknown(word)
    }

    /// Reads the word on the wire.
    public init(from decoder: any Decoder) throws {
        self.init(word: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(word)
    }
}
