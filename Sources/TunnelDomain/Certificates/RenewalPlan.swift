/// When to renew a certificate, how pressing it is, and when to try again.
///
/// The plan goes by shares of the lifetime, not by days, so it suits certificates of 6 days, 90 days and 10 years alike:
/// renewal is due after two thirds. Failed attempts are repeated after 1, 10 and 100 minutes and then daily, but never so
/// late that half of what is left would pass.
public struct RenewalPlan: Hashable, Sendable {
    /// How wrong this machine's clock, or a client's, may be.
    public static let clockSkew: Duration = .seconds(5 * 60)
    /// The waits after the first failures.
    public static let retryDelays: [Duration] = [.seconds(60), .seconds(10 * 60), .seconds(100 * 60)]
    /// The wait after every later failure.
    public static let retryDelayMax: Duration = .days(1)

    public let validity: CertificateValidity
    /// From when on the certificate should be replaced.
    public let renewFrom: Timestamp
    /// From when on a client whose clock is fast may find it expired.
    public let unsafeFrom: Timestamp

    /// - Parameter advisedFrom: When the issuer wants it renewed (ACME renewal information, RFC 9773); it can only bring
    ///   the renewal forward.
    public init(
        of validity: CertificateValidity, advisedFrom: Timestamp? = nil, clockSkew: Duration = RenewalPlan.clockSkew
    ) {
        self.validity = validity
        let unsafeFrom = max(validity.notBefore, validity.notAfter - clockSkew)
        let twoThirds = validity.notBefore + validity.lifetime / 3 * 2
        renewFrom = min(max(validity.notBefore, advisedFrom ?? twoThirds), twoThirds, unsafeFrom)
        self.unsafeFrom = unsafeFrom
    }

    /// How pressing a renewal is; it only ever rises as time passes.
    public func urgency(at now: Timestamp) -> RenewalUrgency {
        if now > validity.notAfter { return .expired }
        if now >= unsafeFrom || left(at: now) <= validity.lifetime / 12 { return .critical }
        if left(at: now) <= validity.lifetime / 6 { return .urgent }
        return now >= renewFrom ? .due : .fresh
    }

    /// When to try next, after so many failures in a row of which the last was at a moment; with none, ``renewFrom``.
    public func nextAttempt(afterFailures count: Int, lastAt last: Timestamp) -> Timestamp {
        guard count > 0 else { return renewFrom }
        let scheduled = count <= Self.retryDelays.count ? Self.retryDelays[count - 1] : Self.retryDelayMax
        // Short-lived certificates cannot wait a day; the longest of the early delays is bearable for every issuer.
        let patience = max(left(at: last) / 2, Self.retryDelays[Self.retryDelays.count - 1])
        return last + min(scheduled, patience)
    }

    private func left(at now: Timestamp) -> Duration { validity.notAfter - now }
}

/// How pressing a certificate's renewal is, in rising order.
public enum RenewalUrgency: Int, Hashable, Comparable, Sendable, CaseIterable {
    /// Nothing to do.
    case fresh
    /// Past two thirds of the lifetime, or when the issuer advises it: renew.
    case due
    /// At most a sixth is left: renewals fail, and people should know.
    case urgent
    /// At most a twelfth is left, or clocks that are fast may already refuse it.
    case critical
    /// It is no longer valid.
    case expired

    public static func < (left: RenewalUrgency, right: RenewalUrgency) -> Bool { left.rawValue < right.rawValue }
}
