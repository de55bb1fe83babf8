internal import TunnelService

/// The service's hash, by OpenSSL.
package struct OpenSSLHasher: SecretHasher {
    package init() {}

    package func sha256(_ bytes: [UInt8]) -> [UInt8] { SHA256.hash(bytes) }
}

/// The service's sealing of kept answers, by OpenSSL.
package struct OpenSSLSealer: Sealer {
    private let key: SealingKey

    package init(key: SealingKey) { self.key = key }

    package func seal(_ plaintext: [UInt8], context: [UInt8]) -> [UInt8] {
        do {
            return try key.seal(plaintext, context: context)
        } catch {
            // Only an OpenSSL without AES-GCM or without memory fails here; neither can be served with.
            preconditionFailure("\(error)")
        }
    }

    package func open(_ sealed: [UInt8], context: [UInt8]) -> [UInt8]? {
        try? key.open(sealed, context: context)
    }
}
