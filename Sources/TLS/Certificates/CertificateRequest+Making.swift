internal import COpenSSL

extension CertificateRequest {
    /// Makes a request (PKCS #10, RFC 2986) in PEM for one host, named by its alternative name alone and signed by its key.
    package static func pem(forHost host: String, key: PrivateKey) throws(OpenSSLFailure) -> String {
        let request = try checked("allocate a request", X509_REQ_new())
        defer { X509_REQ_free(request) }
        try check("set the version", X509_REQ_set_version(request, Int(X509_REQ_VERSION_1)))
        try check("set the public key", X509_REQ_set_pubkey(request, key.pointer))
        try addName(host, to: request)
        guard X509_REQ_sign(request, key.pointer, key.signatureDigest) > 0 else {
            throw OpenSSLFailure(attempt: "sign a request")
        }
        let target = try MemoryBIO()
        try check("write a request", PEM_write_bio_X509_REQ(target.pointer, request))
        return target.text()
    }

    /// Adds the name as an extension; critical, because nothing else names the subject (RFC 5280 section 4.2.1.6).
    private static func addName(_ host: String, to request: OpaquePointer) throws(OpenSSLFailure) {
        let names = try checked("allocate names", OPENSSL_sk_new_null())
        defer { GENERAL_NAMES_free(names) }
        let bytes = Array(host.utf8)
        let text = try checked("allocate a name", ASN1_STRING_type_new(V_ASN1_IA5STRING))
        let name = try checked("allocate a name", GENERAL_NAME_new())
        GENERAL_NAME_set0_value(name, GEN_DNS, text)
        guard OPENSSL_sk_push(names, name) > 0 else {
            GENERAL_NAME_free(name)
            throw OpenSSLFailure(attempt: "add the name \(host)")
        }
        try check("copy a name", ASN1_STRING_set(text, bytes, Int32(bytes.count)))
        let found = X509V3_EXT_i2d(NID_subject_alt_name, 1, UnsafeMutableRawPointer(names))
        let made = try checked("make the extension of names", found)
        let extensions = try checked("allocate extensions", OPENSSL_sk_new_null())
        defer { OPENSSL_sk_pop_free(extensions) { X509_EXTENSION_free($0.map { OpaquePointer($0) }) } }
        guard OPENSSL_sk_push(extensions, UnsafeRawPointer(made)) > 0 else {
            X509_EXTENSION_free(made)
            throw OpenSSLFailure(attempt: "add an extension")
        }
        try check("add the extensions", X509_REQ_add_extensions(request, extensions))
    }
}
