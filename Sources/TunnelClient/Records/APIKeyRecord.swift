public import FoundationEssentials

/// An API key as the REST API shows it: everything but the key (control plane §4).
public struct APIKeyRecord: Sendable, Hashable, Codable {
    /// Where a key is in its life.
    public struct Status: OpenWord {
        public var rawValue: String

        /// Takes any word, known or not.
        public init(rawValue: String) { self.rawValue = rawValue }

        public static let active = Status(rawValue: "active")
        public static let revoked = Status(rawValue: "revoked")
    }

    public var id: String
    public var organizationID: String?
    public var createdBy: String?
    public var creatorType: String?
    /// The one identity that the key acts for; nil for an admin key of the whole organization.
    public var scopedIdentityID: String?
    /// What the key is narrowed to, such as `tunnels:read` or `tunnel:my-agent:connect`; nil for all that its owner may.
    public var scopes: [String]?
    /// From where the key may be used, in CIDR notation; nil for everywhere.
    public var allowedIPRanges: [String]?
    public var label: String
    public var description: String?
    public var status: Status
    /// How the key ends.
    public var last4: String?
    /// How the key begins.
    public var displayPrefix: String?
    public var lastUsedAt: Date?
    public var expiresAt: Date?
    public var revokedAt: Date?
    public var createdAt: Date?
    public var updatedAt: Date?
    /// The id of the key that this one was rotated into; while both count, ``expiresAt`` says until when.
    public var replacedBy: String?

    private enum CodingKeys: String, CodingKey {
        case id, label, description, status, last4, scopes
        case allowedIPRanges = "allowed_ip_ranges"
        case replacedBy = "replaced_by"
        case organizationID = "organization_id"
        case createdBy = "created_by"
        case creatorType = "creator_type"
        case scopedIdentityID = "scoped_identity_id"
        case displayPrefix = "display_prefix"
        case lastUsedAt = "last_used_at"
        case expiresAt = "expires_at"
        case revokedAt = "revoked_at"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }
}

/// A new API key. The key, and the rotation secret if there is one, are shown this once.
public struct CreatedAPIKey: Sendable, Hashable, Codable {
    public var apiKey: String
    /// What the agent proves itself with, beside the key, when it rotates the key by itself; with identity-scoped keys only.
    public var rotationSecret: String?
    public var record: APIKeyRecord

    private enum CodingKeys: String, CodingKey {
        case record
        case apiKey = "api_key"
        case rotationSecret = "rotation_secret"
    }
}

/// A key in another one's place. The key, and the rotation secret if there is one, are shown this once.
public struct RotatedAPIKey: Sendable, Hashable, Codable {
    public var apiKey: String
    public var rotationSecret: String?
    public var record: APIKeyRecord
    /// The old key: revoked, or good until its `expiresAt`.
    public var replacedRecord: APIKeyRecord

    private enum CodingKeys: String, CodingKey {
        case record
        case apiKey = "api_key"
        case rotationSecret = "rotation_secret"
        case replacedRecord = "replaced_record"
    }
}

/// An agent's new credentials after it rotated them by itself (control plane §5). Both are shown this once.
public struct RotatedCredentials: Sendable, Hashable, Codable {
    public var message: String?
    public var apiKey: String
    public var rotationSecret: String
    /// The identity's id.
    public var agentID: String?
    /// The identity's handle.
    public var agentName: String?

    private enum CodingKeys: String, CodingKey {
        case message, apiKey, rotationSecret, agentName
        case agentID = "agentId"
    }
}

/// Who the server takes the caller for (control plane §4). Here, and only here, times are Unix seconds.
public struct Caller: Sendable, Hashable, Codable {
    /// What the credential may do.
    public struct Subtype: OpenWord {
        public var rawValue: String

        /// Takes any word, known or not.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A key of the whole organization.
        public static let adminKey = Subtype(rawValue: "api_key.admin_scoped")
        /// A key of one identity.
        public static let identityKey = Subtype(rawValue: "api_key.agent_scoped.claimed")
    }

    /// `api_key`, or another word for another kind of credential.
    public var authType: String
    public var authSubtype: Subtype?
    public var organizationID: String?
    public var createdBy: String?
    public var creatorType: String?
    public var keyID: String?
    /// An app's id.
    public var clientID: String?
    /// The id of the identity that the key acts for.
    public var scopedIdentityID: String?
    public var label: String?
    public var description: String?
    /// Seconds since 1970.
    public var createdAt: Double?
    /// Seconds since 1970.
    public var lastUsedAt: Double?
    /// Seconds since 1970.
    public var expiresAt: Double?
    /// An app's scopes, separated by blanks.
    public var scope: String?
    /// What an API key is narrowed to; nil for all that its owner may.
    public var scopes: [String]?
    /// From where an API key may be used, in CIDR notation; nil for everywhere.
    public var allowedIPRanges: [String]?
    /// The tunnels that scopes of the form `tunnel:{name}:connect` are for, with what an agent has to know of them.
    public var connectableTunnels: [TunnelRecord]?

    private enum CodingKeys: String, CodingKey {
        case label, description, scope, scopes
        case allowedIPRanges = "allowed_ip_ranges"
        case connectableTunnels = "connectable_tunnels"
        case authType = "auth_type"
        case authSubtype = "auth_subtype"
        case organizationID = "organization_id"
        case createdBy = "created_by"
        case creatorType = "creator_type"
        case keyID = "key_id"
        case clientID = "client_id"
        case scopedIdentityID = "scoped_identity_id"
        case createdAt = "created_at"
        case lastUsedAt = "last_used_at"
        case expiresAt = "expires_at"
    }
}
