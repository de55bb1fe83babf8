internal import COpenSSL

/// SHA-256 (FIPS 180-4) and HMAC over it (RFC 2104).
package enum SHA256 {
    package static let byteCount = 32

    /// The 32-byte digest of the bytes.
    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBufferPointer { hash($0) }
    }

    /// The 32-byte digest of the text's UTF-8 bytes.
    package static func hash(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { hash($0) }
    }

    private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { digest, count in
            // The one-shot call cannot fail: it has no state to allocate.
            _ = COpenSSL.SHA256(bytes.baseAddress, bytes.count, digest.baseAddress)
            count = byteCount
        }
    }

    /// The 32-byte authentication code of a message under a key.
    package static func authenticationCode(for message: [UInt8], key: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { code, count in
            // A null key means "the key of last time" to OpenSSL, so an empty one needs an address.
            let keyBytes = key.isEmpty ? [0] : key
            let made = COpenSSL.HMAC(
                EVP_sha256(), keyBytes, Int32(key.count), message, message.count, code.baseAddress, nil)
            precondition(made != nil, "OpenSSL has no SHA-256; its installation is broken")
            count = byteCount
        }
    }
}
