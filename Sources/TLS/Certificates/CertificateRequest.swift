internal import COpenSSL

/// A certificate signing request (PKCS #10, RFC 2986), read from PEM and not trusted: it only tells what it says.
// Unchecked because of the raw pointer: the request is only read after it has been parsed.
package final class CertificateRequest: @unchecked Sendable {
    /// The longest PEM text that is looked at: a request for one name is under 2 KiB, even with a large RSA key.
    package static let pemByteCountMax = 16 * 1024

    /// Why text is no usable request.
    package enum ReadError: Error, Hashable, CustomStringConvertible {
        case tooLong(byteCount: Int)
        case notARequest
        /// More than one PEM block; which of them was meant is not for us to guess.
        case severalBlocks

        package var description: String {
            switch self {
            case .tooLong(let byteCount):
                "the request has \(byteCount) bytes, and at most \(CertificateRequest.pemByteCountMax) are read"
            case .notARequest: "this is not a certificate signing request in PEM form"
            case .severalBlocks: "the text has more than one PEM block; send exactly one request"
            }
        }
    }

    /// The kind of the key that wants a certificate.
    package enum Key: Hashable, Sendable {
        case rsa(bits: Int)
        case ellipticCurve(name: String)
        case ed25519
        case other(name: String)
    }

    /// The digest of the request's own signature.
    package enum Digest: Hashable, Sendable {
        case sha2OrBetter
        /// The algorithm brings its own, as Ed25519 does.
        case builtIn
        /// MD5, SHA-1 and whatever else is not known to be good.
        case weak
    }

    private let pointer: OpaquePointer
    let publicKey: OpaquePointer

    package convenience init(pem: String) throws {
        guard pem.utf8.count <= Self.pemByteCountMax else { throw ReadError.tooLong(byteCount: pem.utf8.count) }
        let source = try MemoryBIO.reading(pem)
        guard let request = PEM_read_bio_X509_REQ(source.pointer, nil, nil, nil) else {
            ERR_clear_error()
            throw ReadError.notARequest
        }
        guard Self.blockCount(of: pem) == 1 else {
            X509_REQ_free(request)
            throw ReadError.severalBlocks
        }
        guard let publicKey = X509_REQ_get_pubkey(request) else {
            X509_REQ_free(request)
            ERR_clear_error()
            throw ReadError.notARequest
        }
        self.init(owning: request, publicKey: publicKey)
    }

    private init(owning pointer: OpaquePointer, publicKey: OpaquePointer) {
        self.pointer = pointer
        self.publicKey = publicKey
    }

    deinit {
        EVP_PKEY_free(publicKey)
        X509_REQ_free(pointer)
    }

    private static func blockCount(of pem: String) -> Int {
        pem.split(whereSeparator: \.isNewline).count { $0.hasPrefix("-----BEGIN ") }
    }

    /// Whether the request proves that its sender holds the key.
    package var isSelfSigned: Bool {
        let isSelfSigned = X509_REQ_verify(pointer, publicKey) == 1
        ERR_clear_error()
        return isSelfSigned
    }

    package var key: Key {
        switch EVP_PKEY_get_base_id(publicKey) {
        case EVP_PKEY_RSA: .rsa(bits: Int(EVP_PKEY_get_bits(publicKey)))
        case EVP_PKEY_EC: .ellipticCurve(name: groupName)
        case EVP_PKEY_ED25519: .ed25519
        case let type: .other(name: OBJ_nid2sn(type).map { String(cString: $0) } ?? "unknown")
        }
    }

    package var digest: Digest {
        var digest: Int32 = 0
        var keyType: Int32 = 0
        guard OBJ_find_sigid_algs(X509_REQ_get_signature_nid(pointer), &digest, &keyType) == 1 else { return .weak }
        switch digest {
        case NID_sha256, NID_sha384, NID_sha512, NID_sha512_256, NID_sha3_256, NID_sha3_384, NID_sha3_512:
            return .sha2OrBetter
        case NID_undef:
            return keyType == NID_ED25519 ? .builtIn : .weak
        default: return .weak
        }
    }

    /// The curve by OpenSSL's name (`prime256v1`, `secp384r1`); empty for explicit parameters, which name none.
    private var groupName: String {
        var isExplicit: Int32 = 0
        EVP_PKEY_get_int_param(publicKey, "decoded-from-explicit", &isExplicit)
        if isExplicit != 0 { return "" }
        var name = [CChar](repeating: 0, count: 80)
        var count = 0
        guard EVP_PKEY_get_group_name(publicKey, &name, name.count, &count) == 1 else {
            ERR_clear_error()
            return ""
        }
        return String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Every common name of the subject, in order.
    package var commonNames: [String] {
        let subject = X509_REQ_get_subject_name(pointer)
        var names: [String] = []
        var place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        while place >= 0 {
            names.append(Self.text(of: X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place))))
            place = X509_NAME_get_index_by_NID(subject, NID_commonName, place)
        }
        return names
    }

    private static func text(of value: UnsafePointer<ASN1_STRING>?) -> String {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&bytes, value)
        guard count >= 0, let bytes else {
            ERR_clear_error()
            return ""
        }
        defer { CRYPTO_free(bytes, #file, #line) }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    /// The alternative names that the request asks for.
    var subjectNames: SubjectNames {
        withExtension(NID_subject_alt_name) { SubjectNames(found: $0, critical: $1) }
    }

    /// Whether the request asks to become an authority, or says something about it that cannot be read.
    package var asksToBeAuthority: Bool {
        withExtension(NID_basic_constraints) { found, critical in
            guard let found else { return critical != -1 }
            let constraints = found.assumingMemoryBound(to: BASIC_CONSTRAINTS.self)
            defer { BASIC_CONSTRAINTS_free(constraints) }
            return constraints.pointee.ca != 0
        }
    }

    /// Looks an extension up; the body frees what is found. A critical flag of −1 says that there is none.
    private func withExtension<Result>(_ nid: Int32, _ body: (UnsafeMutableRawPointer?, Int32) -> Result) -> Result {
        let extensions = X509_REQ_get_extensions(pointer)
        defer {
            OPENSSL_sk_pop_free(extensions) { X509_EXTENSION_free($0.map { OpaquePointer($0) }) }
            ERR_clear_error()
        }
        var critical: Int32 = -1
        let found = X509V3_get_d2i(extensions, nid, &critical, nil)
        return body(found, critical)
    }
}
