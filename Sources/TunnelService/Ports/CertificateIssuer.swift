package import TunnelDomain

package enum CertificateIssuerError: Error, Sendable, Hashable {
    /// The request is at fault: not a CSR, a bad signature, a weak key, other names than the public host. The text says what.
    case unacceptableRequest(String)
    /// The issuer could not be reached or refused; the text says why. Trying again may help.
    case unavailable(String)
}

/// Signs certificate requests for passthrough tunnels.
package protocol CertificateIssuer: Sendable {
    /// Checks the request against the public host and signs it; may take minutes.
    func issue(
        csrPEM: String, for host: PublicHost, at now: Timestamp
    ) async throws(CertificateIssuerError) -> TunnelCertificate
}
