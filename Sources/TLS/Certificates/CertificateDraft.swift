internal import COpenSSL
internal import TunnelDomain

/// A certificate that is being written: fields and extensions go in, a signature ends it.
struct CertificateDraft: ~Copyable {
    private let pointer: OpaquePointer

    /// A draft with a fresh random serial number of up to 127 bits (CA/Browser Forum: at least 64 from a generator).
    static func make(
        publicKey: OpaquePointer, notBefore: Timestamp, notAfter: Timestamp
    ) throws(OpenSSLFailure) -> CertificateDraft {
        let draft = try CertificateDraft()
        let pointer = draft.pointer
        try check("set the version", X509_set_version(pointer, Int(X509_VERSION_3)))
        try check("set the public key", X509_set_pubkey(pointer, publicKey))
        try setSerial(of: pointer)
        _ = try checked("set the start", ASN1_TIME_set(X509_getm_notBefore(pointer), time_t(notBefore.secondsSinceEpoch)))
        _ = try checked("set the end", ASN1_TIME_set(X509_getm_notAfter(pointer), time_t(notAfter.secondsSinceEpoch)))
        return draft
    }

    private init() throws(OpenSSLFailure) {
        pointer = try checked("allocate a certificate", X509_new())
    }

    deinit { X509_free(pointer) }

    private static func setSerial(of pointer: OpaquePointer) throws(OpenSSLFailure) {
        var bytes = RandomBytes.make(count: 16)
        // Positive and never zero, as RFC 5280 section 4.1.2.2 demands.
        bytes[0] = bytes[0] & 0x7f | 0x40
        let number = try checked("make a serial number", BN_bin2bn(bytes, Int32(bytes.count), nil))
        defer { BN_free(number) }
        _ = try checked("set the serial number", BN_to_ASN1_INTEGER(number, X509_get_serialNumber(pointer)))
    }

    /// Sets the subject's attributes, in order: `("O", "Culvert")`, `("CN", "name")`.
    func setSubject(_ attributes: [(name: String, value: String)]) throws(OpenSSLFailure) {
        let subject = X509_get_subject_name(pointer)
        for attribute in attributes {
            let value = Array(attribute.value.utf8)
            let status = X509_NAME_add_entry_by_txt(
                subject, attribute.name, MBSTRING_UTF8, value, Int32(value.count), -1, 0)
            try check("set the subject's \(attribute.name)", status)
        }
    }

    /// Names the issuer: the subject of the authority's certificate, or this very subject.
    func setIssuer(_ issuer: Certificate?) throws(OpenSSLFailure) {
        try check("set the issuer", X509_set_issuer_name(pointer, X509_get_subject_name(issuer?.pointer ?? pointer)))
    }

    /// Adds an extension in OpenSSL's configuration notation. The value must be our own words, never a user's.
    func addExtension(_ nid: Int32, _ value: String, issuer: Certificate?) throws(OpenSSLFailure) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer?.pointer ?? pointer, pointer, nil, nil, 0)
        let made = try checked("make the extension \(value)", X509V3_EXT_conf_nid(nil, &context, nid, value))
        defer { X509_EXTENSION_free(made) }
        try check("add the extension \(value)", X509_add_ext(pointer, made, -1))
    }

    /// Adds the DNS names that the certificate speaks for; critical when nothing else names its subject.
    func addHosts(_ hosts: [String], isCritical: Bool) throws(OpenSSLFailure) {
        let stack = try checked("allocate names", OPENSSL_sk_new_null())
        defer { GENERAL_NAMES_free(stack) }
        for host in hosts {
            let bytes = Array(host.utf8)
            let text = try checked("allocate a name", ASN1_STRING_type_new(V_ASN1_IA5STRING))
            try check("copy a name", ASN1_STRING_set(text, bytes, Int32(bytes.count)))
            let name = try checked("allocate a name", GENERAL_NAME_new())
            GENERAL_NAME_set0_value(name, GEN_DNS, text)
            guard OPENSSL_sk_push(stack, name) > 0 else { throw OpenSSLFailure(attempt: "add the name \(host)") }
        }
        let status = X509_add1_ext_i2d(
            pointer, NID_subject_alt_name, UnsafeMutableRawPointer(stack), isCritical ? 1 : 0, UInt(X509V3_ADD_DEFAULT))
        try check("add the names", status)
    }

    /// Signs the draft, which is a certificate from then on.
    consuming func signed(by key: PrivateKey) throws(OpenSSLFailure) -> Certificate {
        guard X509_sign(pointer, key.pointer, key.signatureDigest) > 0 else {
            throw OpenSSLFailure(attempt: "sign a certificate")
        }
        X509_up_ref(pointer)
        return Certificate(owning: pointer)
    }
}
