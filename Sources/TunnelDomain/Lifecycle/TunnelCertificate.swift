/// The certificate that was signed for a passthrough tunnel.
public struct TunnelCertificate: Hashable, Sendable {
    /// The certificate as PEM, ending in a newline.
    public let pem: String
    /// The issuers above it as PEM, ending in a newline; empty when it is signed by a root.
    public let chainPEM: String
    /// The SHA-256 of the certificate's DER, as lower-case hexadecimal.
    public let fingerprintSHA256: String
    public let validity: CertificateValidity

    /// Takes a certificate as its issuer gave it; nothing is parsed here.
    public init(pem: String, chainPEM: String, fingerprintSHA256: String, validity: CertificateValidity) {
        self.pem = pem
        self.chainPEM = chainPEM
        self.fingerprintSHA256 = fingerprintSHA256
        self.validity = validity
    }
}
