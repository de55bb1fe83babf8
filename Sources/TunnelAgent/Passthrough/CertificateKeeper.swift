internal import TLS
internal import TunnelDomain

/// Keeps the certificate of an agent that ends TLS: has it signed before it is needed, and renewed while it is in use.
actor CertificateKeeper {
    /// How often the clock is looked at, so that one that jumped is noticed. The loop's timer counts it, on the monotonic
    /// clock: a task that sleeps until a moment of the wall clock would sleep through such a jump.
    static let lookInterval: Duration = .seconds(10)

    let slot: TLSIdentitySlot
    private let tls: AgentTLS
    private let key: PrivateKey
    private var schedule: RenewalSchedule
    private var isRenewing = false

    private init(_ tls: AgentTLS, _ key: PrivateKey, _ certificate: HostCertificate, host: String) {
        self.tls = tls
        self.key = key
        slot = TLSIdentitySlot(host: host, identity: certificate.identity)
        schedule = RenewalSchedule(of: certificate.validity)
    }

    /// A keeper with a certificate that is valid: the kept one, or one that is signed now.
    ///
    /// - Throws: `CertificateProblem` when there is none to be had.
    static func prepare(_ tls: AgentTLS, host: String) async throws(CertificateProblem) -> CertificateKeeper {
        let key: PrivateKey
        do { key = try PrivateKey(pem: tls.keyPEM) } catch { throw CertificateProblem("the TLS key cannot be used: \(error)") }
        let kept = tls.chainPEM.flatMap {
            try? HostCertificate(chainPEM: $0, key: key, keyPEM: tls.keyPEM, host: host, at: tls.now())
        }
        if let kept { return CertificateKeeper(tls, key, kept, host: host) }
        return CertificateKeeper(tls, key, try await sign(tls, key, host: host), host: host)
    }

    private static func sign(
        _ tls: AgentTLS, _ key: PrivateKey, host: String
    ) async throws(CertificateProblem) -> HostCertificate {
        let chainPEM: String
        do {
            chainPEM = try await tls.sign(CertificateRequest.pem(forHost: host, key: key))
        } catch {
            throw CertificateProblem("the certificate for \(host) could not be had: \(error)")
        }
        return try HostCertificate(chainPEM: chainPEM, key: key, keyPEM: tls.keyPEM, host: host, at: tls.now())
    }

    /// Renews the certificate if it is time, and tells how it went; called every ``lookInterval``.
    func renewIfDue(_ tell: @Sendable (AgentEvent) -> Void) async {
        guard !isRenewing, schedule.isDue(at: tls.now()) else { return }
        isRenewing = true
        await renew(tell)
        isRenewing = false
    }

    private func renew(_ tell: @Sendable (AgentEvent) -> Void) async {
        do throws(CertificateProblem) {
            let certificate = try await Self.sign(tls, key, host: slot.host)
            slot.replace(with: certificate.identity)
            schedule.renewed(certificate.validity)
            tell(.certificateRenewed(expiresAt: certificate.validity.notAfter))
        } catch {
            schedule.failed(at: tls.now())
            tell(
                .certificateNotRenewed(
                    reason: error.description, nextAttemptAt: schedule.due, expiresAt: schedule.plan.validity.notAfter))
        }
    }
}

/// Why there is no certificate to serve with; the text is for people.
struct CertificateProblem: Error, Hashable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A certificate that is good for the agent's host at a moment, ready for handshakes.
struct HostCertificate: Sendable {
    let identity: TLSIdentity
    let validity: CertificateValidity

    /// Reads a chain, leaf first, and checks that it is the key's, the host's, and valid.
    init(chainPEM: String, key: PrivateKey, keyPEM: String, host: String, at now: Timestamp) throws(CertificateProblem) {
        do {
            let leaf = try Certificate(pem: chainPEM)
            guard leaf.matches(key) else { throw CertificateProblem("the certificate belongs to another key") }
            guard leaf.hosts().contains(host) else { throw CertificateProblem("the certificate is not for \(host)") }
            let (notBefore, notAfter) = (try leaf.notBefore(), try leaf.notAfter())
            guard notBefore <= now + RenewalPlan.clockSkew, now < notAfter, notBefore <= notAfter else {
                throw CertificateProblem("the certificate is valid from \(notBefore) to \(notAfter), and it is \(now)")
            }
            identity = try TLSIdentity(chainPEM: chainPEM, keyPEM: keyPEM)
            validity = CertificateValidity(notBefore: notBefore, notAfter: notAfter)
        } catch let problem as CertificateProblem {
            throw problem
        } catch {
            throw CertificateProblem("the certificate cannot be used: \(error)")
        }
    }
}
