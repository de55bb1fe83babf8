internal import TunnelDomain

/// A key that was just made, with its secrets: the only copies outside the caller's hands are these.
package struct NewAPIKey: Sendable {
    package let record: APIKeyRecord
    package let apiKey: String
    /// With it the key's agent can rotate the key by itself; nil for a key of no identity.
    package let rotationSecret: String?
}

/// Makes keys, and the rotation secrets of those that belong to an identity.
struct APIKeyMaker {
    /// The random bytes of an API key: 256 bits.
    static let apiKeyRandomByteCount = 32
    /// The random bytes of a rotation secret: 256 bits.
    static let rotationSecretRandomByteCount = 32

    let ports: ServicePorts

    /// What a new key is, besides what is drawn at random.
    struct Draft {
        let organizationID: OrganizationID
        /// Nil for a key of the whole organization.
        let identityID: IdentityID?
        let label: String
        let description: String?
        let expiresAt: Timestamp?
        let bounds: KeyBounds
    }

    func make(_ draft: Draft, createdBy: String, _ creatorType: KeyCreatorType, at now: Timestamp) -> NewAPIKey {
        let apiKey = SecretFormat.apiKey(randomBytes: ports.randomness.bytes(Self.apiKeyRandomByteCount))
        let secret = draft.identityID.map { _ in
            SecretFormat.rotationSecret(randomBytes: ports.randomness.bytes(Self.rotationSecretRandomByteCount))
        }
        let record = APIKeyRecord(
            id: UUIDValue(randomBytes: ports.randomness.bytes(16)), organizationID: draft.organizationID,
            scopedIdentityID: draft.identityID, label: draft.label, description: draft.description,
            hash: ports.hasher.hash(ofSecret: apiKey),
            displayPrefix: SecretFormat.displayPrefix(of: apiKey), last4: SecretFormat.last4(of: apiKey),
            createdBy: createdBy, creatorType: creatorType, createdAt: now, updatedAt: now, expiresAt: draft.expiresAt,
            rotationSecretHash: secret.map { ports.hasher.hash(ofSecret: $0) }, bounds: draft.bounds)
        return NewAPIKey(record: record, apiKey: apiKey, rotationSecret: secret)
    }
}

extension APIKeyMaker.Draft {
    /// A key that takes another's place: whatever may be told of it but its creation stays.
    ///
    /// Its expiry too: who rotates a key must not prolong what its organization has bounded.
    init(succeeding old: APIKeyRecord) {
        self.init(
            organizationID: old.organizationID, identityID: old.scopedIdentityID, label: old.label,
            description: old.description, expiresAt: old.expiresAt, bounds: old.bounds)
    }
}
