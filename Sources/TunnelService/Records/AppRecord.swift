package import TunnelDomain

/// What the store keeps of an app: everything but its secret.
package struct AppRecord: Sendable, Hashable {
    package let id: AppID
    package let organizationID: OrganizationID
    package let name: String
    package let scopes: Set<Scope>
    /// SHA-256 of the secret's text.
    package private(set) var secretHash: [UInt8]
    /// How the secret ends, for people to tell theirs apart.
    package private(set) var secretLast4: String
    /// The id of the key that asked for the app.
    package let createdBy: String
    package let createdAt: Timestamp
    package private(set) var updatedAt: Timestamp
    /// Nil as long as the app has its first secret.
    package private(set) var secretRotatedAt: Timestamp?
    /// Written at most once a minute.
    package var lastUsedAt: Timestamp?

    package init(
        id: AppID, organizationID: OrganizationID, name: String, scopes: Set<Scope>, secretHash: [UInt8],
        secretLast4: String, createdBy: String, createdAt: Timestamp, updatedAt: Timestamp,
        secretRotatedAt: Timestamp? = nil, lastUsedAt: Timestamp? = nil
    ) {
        self.id = id
        self.organizationID = organizationID
        self.name = name
        self.scopes = scopes
        self.secretHash = secretHash
        self.secretLast4 = secretLast4
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.secretRotatedAt = secretRotatedAt
        self.lastUsedAt = lastUsedAt
    }

    /// Puts a new secret in place of the old one, which counts no more.
    mutating func rotateSecret(to hash: [UInt8], last4: String, at now: Timestamp) {
        secretHash = hash
        secretLast4 = last4
        secretRotatedAt = now
        updatedAt = now
    }
}

extension AppRecord {
    /// What the app may be asked about.
    package var principal: Principal { Principal(organizationID: organizationID, kind: .app(scopes)) }

    package var actor: AuditActor { AuditActor(kind: .app, id: id.text, label: name) }
}

extension Permission.Resource {
    /// The resource that an app is.
    init(_ app: AppRecord) { self.init(organizationID: app.organizationID) }
}
