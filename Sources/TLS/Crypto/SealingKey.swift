internal import COpenSSL

/// Encrypts small values at rest with AES-256-GCM (NIST SP 800-38D), so that a copy of the store alone tells nothing.
///
/// Sealed form: 12 bytes of random nonce, the ciphertext, 16 bytes of tag. With random nonces one key is good for 2^32
/// values; at a thousand a second that is seven weeks of nothing else, and the values kept are replayable answers only.
package struct SealingKey: Sendable {
    package static let byteCount = 32
    private static let nonceByteCount = 12
    private static let tagByteCount = 16
    /// What sealing adds to the plain bytes.
    package static let overheadByteCount = nonceByteCount + tagByteCount

    /// Why a sealed value did not open.
    package enum OpenError: Error, Hashable, CustomStringConvertible {
        /// Shorter than a nonce and a tag.
        case tooShort
        /// Another key, another context, or changed bytes: which one cannot be told.
        case notAuthentic

        package var description: String {
            switch self {
            case .tooShort: "the sealed value is cut short"
            case .notAuthentic: "the sealed value was made with another key or has been changed"
            }
        }
    }

    private let key: [UInt8]

    /// A key of exactly 32 bytes; nil for any other length.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        key = bytes
    }

    /// Encrypts the bytes. They open only together with the same context, which is not secret and not stored.
    package func seal(_ plain: [UInt8], context: [UInt8] = []) throws(OpenSSLFailure) -> [UInt8] {
        let nonce = RandomBytes.make(count: Self.nonceByteCount)
        let cipher = try CipherContext()
        try check("start AES-GCM", EVP_EncryptInit_ex(cipher.pointer, EVP_aes_256_gcm(), nil, key, nonce))
        var written: Int32 = 0
        if !context.isEmpty {
            try check("authenticate", EVP_EncryptUpdate(cipher.pointer, nil, &written, context, Int32(context.count)))
        }
        var body = [UInt8](repeating: 0, count: plain.count)
        if !plain.isEmpty {
            try check("encrypt", EVP_EncryptUpdate(cipher.pointer, &body, &written, plain, Int32(plain.count)))
        }
        var tag = [UInt8](repeating: 0, count: Self.tagByteCount)
        // GCM is a stream: finishing writes nothing, the tag array only serves as a valid address.
        try check("finish AES-GCM", EVP_EncryptFinal_ex(cipher.pointer, &tag, &written))
        try check(
            "read the tag", EVP_CIPHER_CTX_ctrl(cipher.pointer, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagByteCount), &tag))
        return nonce + body + tag
    }

    /// Decrypts what `seal` made with this key and context.
    package func open(_ sealed: [UInt8], context: [UInt8] = []) throws -> [UInt8] {
        guard sealed.count >= Self.overheadByteCount else { throw OpenError.tooShort }
        let nonce = Array(sealed.prefix(Self.nonceByteCount))
        let body = Array(sealed.dropFirst(Self.nonceByteCount).dropLast(Self.tagByteCount))
        var tag = Array(sealed.suffix(Self.tagByteCount))

        let cipher = try CipherContext()
        try check("start AES-GCM", EVP_DecryptInit_ex(cipher.pointer, EVP_aes_256_gcm(), nil, key, nonce))
        var written: Int32 = 0
        if !context.isEmpty {
            try check("authenticate", EVP_DecryptUpdate(cipher.pointer, nil, &written, context, Int32(context.count)))
        }
        var plain = [UInt8](repeating: 0, count: body.count)
        if !body.isEmpty {
            try check("decrypt", EVP_DecryptUpdate(cipher.pointer, &plain, &written, body, Int32(body.count)))
        }
        try check(
            "set the tag", EVP_CIPHER_CTX_ctrl(cipher.pointer, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagByteCount), &tag))
        var rest = [UInt8](repeating: 0, count: Self.tagByteCount)
        guard EVP_DecryptFinal_ex(cipher.pointer, &rest, &written) == 1 else {
            ERR_clear_error()
            throw OpenError.notAuthentic
        }
        return plain
    }
}

/// Owns one cipher's working state.
private struct CipherContext: ~Copyable {
    let pointer: OpaquePointer

    init() throws(OpenSSLFailure) {
        pointer = try checked("allocate a cipher", EVP_CIPHER_CTX_new())
    }

    deinit { EVP_CIPHER_CTX_free(pointer) }
}
