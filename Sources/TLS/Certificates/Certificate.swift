internal import COpenSSL
package import TunnelDomain
internal import TunnelWire

/// An X.509 certificate (RFC 5280), to read.
// Unchecked because of the raw pointer: it is only read, and OpenSSL locks the caches it fills while reading.
package final class Certificate: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Why text is no usable certificate.
    package enum ReadError: Error, Hashable, CustomStringConvertible {
        case notACertificate

        package var description: String {
            switch self {
            case .notACertificate: "this is not a certificate in PEM form"
            }
        }
    }

    /// Takes over a certificate that some OpenSSL call has returned.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    /// Reads the first certificate of a PEM text.
    package convenience init(pem: String) throws {
        let source = try MemoryBIO.reading(pem)
        guard let certificate = PEM_read_bio_X509(source.pointer, nil, nil, nil) else {
            ERR_clear_error()
            throw ReadError.notACertificate
        }
        self.init(owning: certificate)
    }

    deinit { X509_free(pointer) }

    /// The certificate as PEM, ending in a newline, so that several may be joined.
    package func pem() throws(OpenSSLFailure) -> String {
        let target = try MemoryBIO()
        try check("write a certificate", PEM_write_bio_X509(target.pointer, pointer))
        return target.text()
    }

    package func der() throws(OpenSSLFailure) -> [UInt8] {
        try encodeDER("write a certificate") { i2d_X509(pointer, $0) }
    }

    /// SHA-256 over the DER form, as 64 lower-case hexadecimal digits.
    package func fingerprint() throws(OpenSSLFailure) -> String {
        Hex.encode(SHA256.hash(try der()))
    }

    package func notBefore() throws(OpenSSLFailure) -> Timestamp {
        try Timestamp(asn1: X509_get0_notBefore(pointer))
    }

    package func notAfter() throws(OpenSSLFailure) -> Timestamp {
        try Timestamp(asn1: X509_get0_notAfter(pointer))
    }

    /// The serial number, as upper-case hexadecimal digits without leading zeros.
    package func serialNumber() throws(OpenSSLFailure) -> String {
        let number = try checked("read a serial number", ASN1_INTEGER_to_BN(X509_get0_serialNumber(pointer), nil))
        defer { BN_free(number) }
        let digits = try checked("write a serial number", BN_bn2hex(number))
        defer { CRYPTO_free(digits, #file, #line) }
        return String(cString: digits)
    }

    /// Whether this certificate may sign others.
    package var isAuthority: Bool { X509_check_ca(pointer) == 1 }

    /// Whether the key is this certificate's.
    package func matches(_ key: PrivateKey) -> Bool {
        let matches = X509_check_private_key(pointer, key.pointer) == 1
        ERR_clear_error()
        return matches
    }

    /// The DNS names that the certificate speaks for, wildcards as written.
    package func hosts() -> [String] {
        SubjectNames(certificate: self).names.compactMap { $0.kind == .dns ? $0.text : nil }
    }
}
