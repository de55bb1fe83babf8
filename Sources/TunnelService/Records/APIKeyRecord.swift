package import TunnelDomain

/// What the store keeps of an API key: everything but the key.
package struct APIKeyRecord: Sendable, Hashable {
    package let id: UUIDValue
    package let organizationID: OrganizationID
    /// The one identity that the key may act for; nil for an admin key of the whole organization.
    package let scopedIdentityID: IdentityID?
    package var label: String
    package var description: String?
    /// SHA-256 of the key's text; unique in the store.
    package let hash: [UInt8]
    /// How the key begins and ends, for people to tell theirs apart.
    package let displayPrefix: String
    package let last4: String
    /// Who made it: `culvertd`, or the id of the key that asked for it.
    package let createdBy: String
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Written at most once a minute.
    package var lastUsedAt: Timestamp?
    package var expiresAt: Timestamp?
    package var revokedAt: Timestamp?

    package init(
        id: UUIDValue, organizationID: OrganizationID, scopedIdentityID: IdentityID? = nil, label: String,
        description: String? = nil, hash: [UInt8], displayPrefix: String, last4: String, createdBy: String,
        createdAt: Timestamp, updatedAt: Timestamp, lastUsedAt: Timestamp? = nil, expiresAt: Timestamp? = nil,
        revokedAt: Timestamp? = nil
    ) {
        self.id = id
        self.organizationID = organizationID
        self.scopedIdentityID = scopedIdentityID
        self.label = label
        self.description = description
        self.hash = hash
        self.displayPrefix = displayPrefix
        self.last4 = last4
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }

    /// Whether the key counts at a moment: neither revoked nor expired.
    package func isValid(at now: Timestamp) -> Bool {
        if let revokedAt, now >= revokedAt { return false }
        if let expiresAt, now >= expiresAt { return false }
        return true
    }
}
