internal import COpenSSL

/// SHA-1 (FIPS 180-4), broken for signatures; RFC 6455 asks for it where nothing depends on its strength.
package enum SHA1 {
    package static let byteCount = 20

    /// The 20-byte digest of the text's UTF-8 bytes.
    package static func hash(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return [UInt8](unsafeUninitializedCapacity: byteCount) { digest, count in
            _ = COpenSSL.SHA1(bytes, bytes.count, digest.baseAddress)
            count = byteCount
        }
    }
}
