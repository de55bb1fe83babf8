package import TunnelDomain
package import TunnelService

/// Signs the requests of passthrough tunnels with the service's own authority.
package struct LocalIssuer: CertificateIssuer {
    private let authority: CertificateAuthority

    package init(authority: CertificateAuthority) { self.authority = authority }

    package func issue(
        csrPEM: String, for host: PublicHost, at now: Timestamp
    ) async throws(CertificateIssuerError) -> TunnelCertificate {
        let request = try read(csrPEM, for: host)
        do {
            let signed = try authority.signRequest(request, hosts: [host.text], at: now)
            // The chain ends with the root: clients that concatenate the two get a file that verifies by itself.
            return TunnelCertificate(
                pem: signed.certificatePEM, chainPEM: signed.chainPEM, fingerprintSHA256: signed.fingerprint,
                validity: CertificateValidity(notBefore: signed.notBefore, notAfter: signed.notAfter))
        } catch {
            throw .unavailable("\(error)")
        }
    }

    private func read(_ csrPEM: String, for host: PublicHost) throws(CertificateIssuerError) -> CertificateRequest {
        if let refusal = SigningPolicy.refusal(ofByteCount: csrPEM.utf8.count) {
            throw .unacceptableRequest(refusal.explanation(for: host))
        }
        let request: CertificateRequest
        do {
            request = try CertificateRequest(pem: csrPEM)
        } catch {
            throw .unacceptableRequest("\(error)")
        }
        if let refusal = SigningPolicy.refusal(of: request.facts, for: host) {
            throw .unacceptableRequest(refusal.explanation(for: host))
        }
        return request
    }
}
