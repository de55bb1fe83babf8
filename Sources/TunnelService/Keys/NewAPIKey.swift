internal import TunnelDomain

/// A key that was just made, with its secrets: the only copies outside the caller's hands are these.
package struct NewAPIKey: Sendable {
    package let record: APIKeyRecord
    package let apiKey: String
    /// With it the key's agent can rotate the key by itself.
    package let rotationSecret: String
}

/// Makes a key of one identity and its rotation secret.
struct APIKeyMaker {
    /// The random bytes of an API key: 256 bits.
    static let apiKeyRandomByteCount = 32
    /// The random bytes of a rotation secret: 256 bits.
    static let rotationSecretRandomByteCount = 32

    let ports: ServicePorts

    func make(
        for identity: Identity, label: String, description: String?, expiresAt: Timestamp?, createdBy: String,
        _ creatorType: KeyCreatorType, at now: Timestamp
    ) -> NewAPIKey {
        let apiKey = SecretFormat.apiKey(randomBytes: ports.randomness.bytes(Self.apiKeyRandomByteCount))
        let secret = SecretFormat.rotationSecret(randomBytes: ports.randomness.bytes(Self.rotationSecretRandomByteCount))
        let record = APIKeyRecord(
            id: UUIDValue(randomBytes: ports.randomness.bytes(16)), organizationID: identity.organizationID,
            scopedIdentityID: identity.id, label: label, description: description, hash: ports.hasher.hash(ofSecret: apiKey),
            displayPrefix: SecretFormat.displayPrefix(of: apiKey), last4: SecretFormat.last4(of: apiKey),
            createdBy: createdBy, creatorType: creatorType, createdAt: now, updatedAt: now, expiresAt: expiresAt,
            rotationSecretHash: ports.hasher.hash(ofSecret: secret))
        return NewAPIKey(record: record, apiKey: apiKey, rotationSecret: secret)
    }
}
