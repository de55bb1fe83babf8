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
    /// Who made it: `culvertd`, the id of the key that asked for it, or the identity that rotated its own.
    package let createdBy: String
    package let creatorType: KeyCreatorType
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Written at most once a minute.
    package var lastUsedAt: Timestamp?
    package var expiresAt: Timestamp?
    package var revokedAt: Timestamp?
    /// SHA-256 of the secret with which the key's agent can rotate it; only identities' keys have one.
    package let rotationSecretHash: [UInt8]?
    /// The key that took this one's place when it was rotated. With an overlap this one counts until its expiry all the same.
    package var replacedBy: UUIDValue?
    /// What it is narrowed to, from its first day to its last.
    package let bounds: KeyBounds

    package init(
        id: UUIDValue, organizationID: OrganizationID, scopedIdentityID: IdentityID? = nil, label: String,
        description: String? = nil, hash: [UInt8], displayPrefix: String, last4: String, createdBy: String,
        creatorType: KeyCreatorType = .human, createdAt: Timestamp, updatedAt: Timestamp, lastUsedAt: Timestamp? = nil,
        expiresAt: Timestamp? = nil,
        revokedAt: Timestamp? = nil, rotationSecretHash: [UInt8]? = nil, replacedBy: UUIDValue? = nil,
        bounds: KeyBounds = .none
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
        self.creatorType = creatorType
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.rotationSecretHash = rotationSecretHash
        self.replacedBy = replacedBy
        self.bounds = bounds
    }
}

/// Whose wish a key is, in the words of the record that clients read.
package enum KeyCreatorType: String, Sendable, Hashable, CaseIterable {
    /// An operator, or whoever holds an admin key.
    case human
    /// An agent that rotated its own key.
    case agent
}

extension APIKeyRecord {
    package func standing(at now: Timestamp) -> KeyStanding {
        KeyStanding(expiresAt: expiresAt, revokedAt: revokedAt, hasSuccessor: replacedBy != nil, at: now)
    }

    /// Whether the key counts at a moment: neither revoked nor replaced nor expired.
    package func isValid(at now: Timestamp) -> Bool { standing(at: now) == .valid }

    /// Ends the key, once: later ends change nothing.
    mutating func end(at now: Timestamp, replacedBy successor: UUIDValue? = nil) {
        guard revokedAt == nil else { return }
        revokedAt = max(now, createdAt)
        if let successor { replacedBy = successor }
        updatedAt = max(now, updatedAt)
    }

    /// Lets the key go on beside its successor until just before the moment.
    mutating func overlap(until end: Timestamp, replacedBy successor: UUIDValue, at now: Timestamp) {
        expiresAt = end
        replacedBy = successor
        updatedAt = max(now, updatedAt)
    }
}
