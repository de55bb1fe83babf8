internal import COpenSSL

/// A private key that signs: Culvert's own are EC P-256, a loaded authority's may be of another kind.
// Unchecked because of the raw pointer: OpenSSL allows concurrent use of a key that nobody changes, and nobody does.
package final class PrivateKey: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Why key text is no usable key.
    package enum ReadError: Error, Hashable, CustomStringConvertible {
        case notAKey
        /// The key is encrypted, and the passphrase is missing or wrong.
        case wrongPassphrase

        package var description: String {
            switch self {
            case .notAKey: "this is not a private key in PEM form"
            case .wrongPassphrase: "the private key is encrypted and the passphrase is missing or wrong"
            }
        }
    }

    /// Makes a fresh EC key on the curve P-256.
    package init() throws(OpenSSLFailure) {
        pointer = try checked("make an EC P-256 key", culvert_EVP_EC_gen("P-256"))
    }

    /// Takes over a key that some OpenSSL call has returned.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    /// Reads the first private key of a PEM text, encrypted or not.
    package convenience init(pem: String, passphrase: String = "") throws {
        let source = try MemoryBIO.reading(pem)
        // An empty passphrase rather than none: with none OpenSSL would ask on the terminal.
        let key = passphrase.withCString {
            PEM_read_bio_PrivateKey(source.pointer, nil, nil, UnsafeMutableRawPointer(mutating: $0))
        }
        guard let key else {
            ERR_clear_error()
            throw Self.isEncrypted(pem: pem) ? ReadError.wrongPassphrase : ReadError.notAKey
        }
        self.init(owning: key)
    }

    /// Whether the text says that its key is encrypted (PKCS #8, or the older form of RFC 1421).
    package static func isEncrypted(pem: String) -> Bool { pem.contains("ENCRYPTED") }

    deinit { EVP_PKEY_free(pointer) }

    /// The key as PKCS #8 PEM; with a passphrase, encrypted under AES-256.
    package func pem(passphrase: String = "") throws(OpenSSLFailure) -> String {
        let target = try MemoryBIO()
        let status = passphrase.withCString { phrase in
            PEM_write_bio_PKCS8PrivateKey(
                target.pointer, pointer, passphrase.isEmpty ? nil : EVP_aes_256_cbc(), phrase, Int32(passphrase.utf8.count),
                nil, nil)
        }
        try check("write a private key", status)
        return target.text()
    }

    /// The digest to sign with; nil where the algorithm has its own (Ed25519, Ed448).
    var signatureDigest: OpaquePointer? {
        switch EVP_PKEY_get_base_id(pointer) {
        case EVP_PKEY_ED25519, EVP_PKEY_ED448: nil
        default: EVP_sha256()
        }
    }
}
