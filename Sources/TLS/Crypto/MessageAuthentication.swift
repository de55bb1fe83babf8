internal import COpenSSL
package import TunnelWire

/// HMAC (RFC 2104) and Ed25519 (RFC 8032) for the rules of webhook signatures.
package struct OpenSSLWebhookCryptography: WebhookCryptography {
    package init() {}

    package func sha256(_ bytes: [UInt8]) -> [UInt8] { SHA256.hash(bytes) }

    package func authenticationCode(_ hash: WebhookHash, for message: [UInt8], key: [UInt8]) -> [UInt8] {
        let digest: (function: OpaquePointer?, byteCount: Int) =
            switch hash {
            case .sha1: (EVP_sha1(), 20)
            case .sha256: (EVP_sha256(), 32)
            case .sha512: (EVP_sha512(), 64)
            }
        return [UInt8](unsafeUninitializedCapacity: digest.byteCount) { code, count in
            // A null key means "the key of last time" to OpenSSL, so an empty one needs an address.
            let keyBytes = key.isEmpty ? [0] : key
            let made = COpenSSL.HMAC(
                digest.function, keyBytes, Int32(key.count), message, message.count, code.baseAddress, nil)
            precondition(made != nil, "OpenSSL has no such hash; its installation is broken")
            count = digest.byteCount
        }
    }

    package func isSignature(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard signature.count == 64, publicKey.count == 32,
            let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, publicKey.count)
        else { return false }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        let isRight =
            EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        if !isRight { ERR_clear_error() }
        return isRight
    }

    package func signature(of message: [UInt8], seed: [UInt8]) -> [UInt8]? {
        guard seed.count == 32, let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
            return nil
        }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
            EVP_DigestSign(context, &signature, &count, message, message.count) == 1
        else { return nil }
        return signature
    }
}
