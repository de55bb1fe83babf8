extension Tunnel {
    /// Checks that a certificate may be signed now, before a request is parsed or an issuer asked.
    public func checkSigning(at now: Timestamp) throws(TunnelSigningError) {
        let status = status(at: now)
        guard status != .deleted else { throw .deleted }
        guard tlsMode == .passthrough else { throw .edgeTunnel }
        guard status != .deletePending else { throw .deletePending }
    }

    /// Puts a signed certificate on file: the first one activates the tunnel, later ones renew it.
    public mutating func certificateSigned(
        _ signed: TunnelCertificate, at now: Timestamp
    ) throws(TunnelSigningError) -> TunnelSigningAnswer {
        try checkSigning(at: now)
        guard now <= signed.validity.notAfter else { throw .expiredCertificate(notAfter: signed.validity.notAfter) }
        let isFirst = state == .awaitingCert
        certificate = signed
        change(to: .active, at: now)
        return isFirst ? .activated : .renewed
    }
}

/// What a new certificate did.
public enum TunnelSigningAnswer: Hashable, Sendable {
    /// The tunnel waited for it and is active now.
    case activated
    /// The tunnel was active and has a newer one.
    case renewed
}

/// Why a tunnel gets no certificate.
public enum TunnelSigningError: Error, Hashable, Sendable {
    /// It is gone (404).
    case deleted
    /// The edge has its own certificate for such a tunnel (409, and the detail must name `tls_mode`).
    case edgeTunnel
    /// It is being deleted (409, and the detail must not speak of the mode: clients read that as ``edgeTunnel``).
    case deletePending
    /// The issuer gave a certificate that has already ended: the service's fault, or its clock's.
    case expiredCertificate(notAfter: Timestamp)
}
