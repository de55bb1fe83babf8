public import FoundationEssentials

/// A machine client of the organization (control plane §6): it proves itself by HTTP Basic and does what its scopes say.
public struct AppRecord: Sendable, Hashable, Codable {
    /// Something that an app may do.
    public struct Scope: OpenWord {
        public var rawValue: String

        /// Takes any word, known or not.
        public init(rawValue: String) { self.rawValue = rawValue }

        public static let tunnelsRead = Scope(rawValue: "tunnels:read")
        public static let tunnelsWrite = Scope(rawValue: "tunnels:write")
        public static let secretsRotate = Scope(rawValue: "secrets:rotate")
        public static let auditRead = Scope(rawValue: "audit:read")
        public static let eventsRead = Scope(rawValue: "events:read")

        /// The scopes that this client knows; a server may have more.
        public static let known: [Scope] = [.tunnelsRead, .tunnelsWrite, .secretsRotate, .auditRead, .eventsRead]
    }

    /// The user name of its Basic authentication; also its id in paths.
    public var clientID: String
    public var name: String
    public var scopes: [Scope]
    public var organizationID: String?
    /// How the client secret ends.
    public var secretLast4: String?
    public var createdBy: String?
    public var createdAt: Date?
    public var updatedAt: Date?
    public var secretRotatedAt: Date?
    public var lastUsedAt: Date?

    private enum CodingKeys: String, CodingKey {
        case name, scopes
        case clientID = "client_id"
        case organizationID = "organization_id"
        case secretLast4 = "secret_last4"
        case createdBy = "created_by"
        case secretRotatedAt = "secret_rotated_at"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
        case lastUsedAt = "last_used_at"
    }
}

/// A new app and its client secret, shown this once.
public struct CreatedApp: Sendable, Hashable, Codable {
    public var app: AppRecord
    /// 64 hexadecimal digits.
    public var clientSecret: String

    private enum CodingKeys: String, CodingKey { case clientSecret = "client_secret" }

    /// Reads the app's members and the secret beside them.
    public init(from decoder: any Decoder) throws {
        app = try AppRecord(from: decoder)
        clientSecret = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .clientSecret)
    }

    public func encode(to encoder: any Encoder) throws {
        try app.encode(to: encoder)
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(clientSecret, forKey: .clientSecret)
    }
}
