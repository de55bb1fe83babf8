package import TunnelDomain

/// Has a certificate signed for a passthrough tunnel; the first one activates it.
///
/// The issuer may take minutes, so it is asked between two transactions: one that checks, one that writes and checks again.
package struct SignCSR: Sendable {
    package struct Signed: Sendable {
        package let certificate: TunnelCertificate
        package let rateLimit: RateLimitReport
    }

    private let ports: ServicePorts
    private let rules: ServiceRules

    package init(ports: ServicePorts, rules: ServiceRules) {
        self.ports = ports
        self.rules = rules
    }

    /// Checks that the tunnel may have a certificate now, and asks the issuer for one.
    package func issue(_ id: TunnelID?, csrPEM: String, by call: CallContext) async throws -> TunnelCertificate {
        let host = try await ports.look { store, now in
            let tunnel = try call.tunnel(id, for: .signCertificate, in: store, at: now)
            try refuse { () throws(TunnelSigningError) in try tunnel.checkSigning(at: now) }
            _ = try rules.requireRoom(for: .certSign, of: tunnel.id.text, in: store, at: now)
            return PublicHost(name: tunnel.name, zone: rules.zone)
        }
        guard let issuer = ports.issuer else { throw Refusal.issuanceNotConfigured }
        do throws(CertificateIssuerError) {
            return try await issuer.issue(csrPEM: csrPEM, for: host, at: ports.clock.now)
        } catch {
            switch error {
            case .unacceptableRequest(let reason): throw Refusal.unacceptableCSR(reason)
            case .unavailable(let reason): throw Refusal.issuerUnavailable(reason)
            }
        }
    }

    /// Puts the issued certificate on file, unless the tunnel has changed its mind meanwhile.
    package func decide(
        _ id: TunnelID?, _ certificate: TunnelCertificate, by call: CallContext, in store: any StoreWriting,
        at now: Timestamp
    ) throws -> Change<Signed> {
        var tunnel = try call.tunnel(id, for: .signCertificate, in: store, at: now)
        try refuse { () throws(TunnelSigningError) in _ = try tunnel.certificateSigned(certificate, at: now) }
        let report = try rules.requireRoom(for: .certSign, of: tunnel.id.text, in: store, at: now)

        try store.update(tunnel)
        try store.watchExpiry(of: tunnel.id, from: RenewalPlan(of: certificate.validity).renewFrom)
        try store.recordSuccess(of: .certSign, for: tunnel.id.text, at: now)
        try AuditTrail(ports: ports).append(.certSign, of: tunnel, by: call, in: store, at: now)
        return Change(Signed(certificate: certificate, rateLimit: report), tunnel, .certSigned)
    }

    /// Turns the rule's error into the caller's.
    private func refuse(_ check: () throws(TunnelSigningError) -> Void) throws(Refusal) {
        do throws(TunnelSigningError) {
            try check()
        } catch {
            switch error {
            case .deleted: throw .noSuchTunnel
            case .edgeTunnel: throw .edgeTunnelNeedsNoCertificate
            case .deletePending: throw .deletePending
            case .expiredCertificate: throw .issuerUnavailable("the issuer gave a certificate that has already ended")
            }
        }
    }
}
