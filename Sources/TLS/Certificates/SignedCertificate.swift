package import TunnelDomain

/// A certificate that an authority has just signed, with all that is needed to serve it.
package struct SignedCertificate: Sendable, Hashable {
    /// The DNS names it speaks for.
    package var hosts: [String]
    /// The certificate, PEM, ending in a newline.
    package var certificatePEM: String
    /// The certificates between it and what clients trust, PEM; here the authority's own.
    package var chainPEM: String
    /// The private key, PKCS #8 PEM; nil when the subject kept it and sent a request.
    package var keyPEM: String?
    /// SHA-256 over the DER form, lower-case hexadecimal. Equal fingerprints are equal certificates.
    package var fingerprint: String
    package var notBefore: Timestamp
    package var notAfter: Timestamp
}
