/// The one hash of the service; secrets of at least 128 random bits need no slower one.
package protocol SecretHasher: Sendable {
    /// The 32 bytes of SHA-256 (FIPS 180-4).
    func sha256(_ bytes: [UInt8]) -> [UInt8]
}

extension SecretHasher {
    /// The hash of a secret's text, as the store keeps it.
    package func hash(ofSecret text: String) -> [UInt8] { sha256(Array(text.utf8)) }
}
