internal import COpenSSL
internal import TunnelDomain

extension CertificateRequest {
    /// Every common name of the subject, in order.
    var commonNames: [String] {
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

    /// The alternative names that the request asks for; an extension that cannot be read counts as a name nobody may have.
    var alternativeNames: [SigningRequest.AlternativeName] {
        let found = withExtension(NID_subject_alt_name) { SubjectNames(found: $0, critical: $1) }
        guard found.isWellFormed else { return [.other("that cannot be read")] }
        return found.names.map { name in
            switch name.kind {
            case .dns: .dns(name.text)
            case .ipAddress: .ipAddress(name.text)
            case .uri: .uri(name.text)
            case .email: .email(name.text)
            case .other: .other("directory or other name")
            }
        }
    }

    /// Whether the request asks to become an authority, or says something about it that cannot be read.
    var asksForCA: Bool { hasAuthorityConstraint || hasSigningUsage }

    private var hasAuthorityConstraint: Bool {
        withExtension(NID_basic_constraints) { found, critical in
            guard let found else { return critical != -1 }
            let constraints = found.assumingMemoryBound(to: BASIC_CONSTRAINTS.self)
            defer { BASIC_CONSTRAINTS_free(constraints) }
            return constraints.pointee.ca != 0
        }
    }

    private var hasSigningUsage: Bool {
        withExtension(NID_key_usage) { found, critical in
            guard let found else { return critical != -1 }
            let usage = found.assumingMemoryBound(to: ASN1_BIT_STRING.self)
            defer { ASN1_BIT_STRING_free(usage) }
            // RFC 5280 section 4.2.1.3: bit 5 is keyCertSign.
            return ASN1_BIT_STRING_get_bit(usage, 5) == 1
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
