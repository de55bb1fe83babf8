internal import COpenSSL

/// A certificate with its chain and private key, parsed once and used for many handshakes.
package final class TLSIdentity: Sendable {
    // OpenSSL counts references to these objects atomically, and nothing changes them after `init`.
    nonisolated(unsafe) private let certificate: OpaquePointer
    // As above.
    nonisolated(unsafe) private let key: OpaquePointer
    // As above; the stack is only read.
    nonisolated(unsafe) private let chain: OpaquePointer?

    /// Parses a PEM chain, leaf first, and the leaf's private key in PEM.
    package init(chainPEM: String, keyPEM: String) throws(TLSError) {
        let certificates = TLSIdentity.readCertificates(chainPEM)
        guard let leaf = certificates.first else { throw .last("read certificate") }
        guard let key = TLSIdentity.readKey(keyPEM) else {
            certificates.forEach(X509_free)
            throw .last("read private key")
        }
        certificate = leaf
        self.key = key
        if certificates.count > 1, let stack = OPENSSL_sk_new_null() {
            for issuer in certificates.dropFirst() { OPENSSL_sk_push(stack, UnsafeRawPointer(issuer)) }
            chain = stack
        } else {
            chain = nil
        }
        guard X509_check_private_key(leaf, key) == 1 else { throw .last("match private key with certificate") }
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
        guard let chain else { return }
        while let issuer = OPENSSL_sk_pop(chain) { X509_free(OpaquePointer(issuer)) }
        OPENSSL_sk_free(chain)
    }

    func apply(to session: OpaquePointer) -> Bool {
        SSL_use_cert_and_key(session, certificate, key, chain, 1) == 1
    }

    private static func readCertificates(_ pem: String) -> [OpaquePointer] {
        withMemoryBIO(pem) { bio in
            var found: [OpaquePointer] = []
            while let certificate = PEM_read_bio_X509(bio, nil, nil, nil) { found.append(certificate) }
            // The end of the text leaves "no start line" on the queue.
            ERR_clear_error()
            return found
        } ?? []
    }

    private static func readKey(_ pem: String) -> OpaquePointer? {
        withMemoryBIO(pem) { PEM_read_bio_PrivateKey($0, nil, nil, nil) } ?? nil
    }

    private static func withMemoryBIO<Result>(_ text: String, _ body: (OpaquePointer) -> Result) -> Result? {
        var text = text
        return text.withUTF8 { bytes in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            return body(bio)
        }
    }
}
