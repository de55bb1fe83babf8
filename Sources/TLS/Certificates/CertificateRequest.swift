internal import COpenSSL
package import TunnelDomain

/// A certificate signing request (PKCS #10, RFC 2986), read from PEM and not trusted: it only tells what it says.
// Unchecked because of the raw pointer: the request is only read after it has been parsed.
package final class CertificateRequest: @unchecked Sendable {
    /// Why text is no usable request.
    package enum ReadError: Error, Hashable, CustomStringConvertible {
        case tooLong(byteCount: Int)
        case notARequest

        package var description: String {
            switch self {
            case .tooLong(let byteCount):
                "the request has \(byteCount) bytes, and at most \(SigningPolicy.requestByteCountMax) are read"
            case .notARequest: "this is not a certificate signing request in PEM form"
            }
        }
    }

    let pointer: OpaquePointer
    let publicKey: OpaquePointer
    private let blockCount: Int

    package convenience init(pem: String) throws {
        guard pem.utf8.count <= SigningPolicy.requestByteCountMax else { throw ReadError.tooLong(byteCount: pem.utf8.count) }
        let source = try MemoryBIO.reading(pem)
        guard let request = PEM_read_bio_X509_REQ(source.pointer, nil, nil, nil) else {
            ERR_clear_error()
            throw ReadError.notARequest
        }
        guard let publicKey = X509_REQ_get_pubkey(request) else {
            X509_REQ_free(request)
            ERR_clear_error()
            throw ReadError.notARequest
        }
        self.init(owning: request, publicKey: publicKey, blockCount: Self.blockCount(of: pem))
    }

    private init(owning pointer: OpaquePointer, publicKey: OpaquePointer, blockCount: Int) {
        self.pointer = pointer
        self.publicKey = publicKey
        self.blockCount = blockCount
    }

    deinit {
        EVP_PKEY_free(publicKey)
        X509_REQ_free(pointer)
    }

    private static func blockCount(of pem: String) -> Int {
        pem.split(whereSeparator: \.isNewline).count { $0.hasPrefix("-----BEGIN ") }
    }

    /// All that the signing policy asks about.
    package var facts: SigningRequest {
        SigningRequest(
            blockCount: blockCount, key: key, isSignatureValid: isSignatureValid, signatureHash: signatureHash,
            commonNames: commonNames, alternativeNames: alternativeNames, asksForCA: asksForCA)
    }

    private var isSignatureValid: Bool {
        let isValid = X509_REQ_verify(pointer, publicKey) == 1
        ERR_clear_error()
        return isValid
    }

    private var key: SigningRequest.Key {
        switch EVP_PKEY_get_base_id(publicKey) {
        case EVP_PKEY_RSA: .rsa(bitCount: Int(EVP_PKEY_get_bits(publicKey)))
        case EVP_PKEY_EC: ellipticCurveKey
        case EVP_PKEY_ED25519: .ed25519
        case let type: .other(shortName(type))
        }
    }

    private var ellipticCurveKey: SigningRequest.Key {
        // RFC 5480 wants curves by name: written out, even a known curve is refused.
        var isExplicit: Int32 = 0
        EVP_PKEY_get_int_param(publicKey, "decoded-from-explicit", &isExplicit)
        guard isExplicit == 0 else { return .other("EC with explicit parameters") }
        switch groupName {
        case "prime256v1": return .p256
        case "secp384r1": return .p384
        case let name: return .other("EC \(name)")
        }
    }

    private var groupName: String {
        var name = [CChar](repeating: 0, count: 80)
        var count = 0
        guard EVP_PKEY_get_group_name(publicKey, &name, name.count, &count) == 1 else {
            ERR_clear_error()
            return "on an unknown curve"
        }
        return String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private var signatureHash: SigningRequest.SignatureHash {
        let scheme = X509_REQ_get_signature_nid(pointer)
        var digest: Int32 = 0
        var keyType: Int32 = 0
        guard OBJ_find_sigid_algs(scheme, &digest, &keyType) == 1 else { return .other(shortName(scheme)) }
        switch digest {
        case NID_sha256: return .sha256
        case NID_sha384: return .sha384
        case NID_sha512: return .sha512
        case NID_undef where keyType == NID_ED25519: return .intrinsic
        // RSA-PSS keeps its hash among its parameters, where SHA-1 may stand: it is not looked for.
        case NID_undef: return .other(shortName(scheme))
        case let other: return .other(shortName(other))
        }
    }

    private func shortName(_ nid: Int32) -> String { OBJ_nid2sn(nid).map { String(cString: $0) } ?? "unknown" }
}
