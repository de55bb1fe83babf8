/// What the rules of webhook signatures need of a cryptographic library; `TLS` has the adapter.
package protocol WebhookCryptography: Sendable {
    /// The 32-byte SHA-256 digest (FIPS 180-4).
    func sha256(_ bytes: [UInt8]) -> [UInt8]
    /// The authentication code of a message under a key (RFC 2104).
    func authenticationCode(_ hash: WebhookHash, for message: [UInt8], key: [UInt8]) -> [UInt8]
    /// Whether the 64-byte Ed25519 signature (RFC 8032) is the holder's of the 32-byte public key; false for other lengths.
    func isSignature(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool
    /// The Ed25519 signature by the private key's 32-byte seed; nil for another length.
    func signature(of message: [UInt8], seed: [UInt8]) -> [UInt8]?
}

/// The hash functions that senders of webhooks use under HMAC.
package enum WebhookHash: String, Sendable, Hashable, CaseIterable {
    case sha1, sha256, sha512
}
