/// The time in which a certificate is valid; both ends belong to it (RFC 5280 section 4.1.2.5).
public struct CertificateValidity: Hashable, Sendable {
    public let notBefore: Timestamp
    public let notAfter: Timestamp

    /// - Precondition: the end does not lie before the beginning.
    public init(notBefore: Timestamp, notAfter: Timestamp) {
        precondition(notBefore <= notAfter, "a certificate's validity ends after it begins")
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// How long the certificate is valid.
    public var lifetime: Duration { notAfter - notBefore }

    /// Whether the certificate is valid at a moment, for every clock that is wrong by no more than the skew.
    ///
    /// With a skew both ends are drawn in: a certificate that starts or ends within it does not count as valid.
    public func isValid(at now: Timestamp, skew: Duration = .zero) -> Bool {
        now - skew >= notBefore && now + skew <= notAfter
    }
}
