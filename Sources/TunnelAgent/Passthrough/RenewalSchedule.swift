internal import TunnelDomain

/// When the agent's certificate is renewed: the domain's plan, and how its attempts have gone.
struct RenewalSchedule: Hashable, Sendable {
    private(set) var plan: RenewalPlan
    private(set) var failureCount = 0
    private var lastFailure: Timestamp?

    init(of validity: CertificateValidity) { plan = RenewalPlan(of: validity) }

    /// When to try next.
    var due: Timestamp {
        guard let lastFailure else { return plan.renewFrom }
        return plan.nextAttempt(afterFailures: failureCount, lastAt: lastFailure)
    }

    /// Whether it is time. A failure that lies in the future was noted by a clock that was wrong, and holds nobody up.
    func isDue(at now: Timestamp) -> Bool {
        if let lastFailure, lastFailure > now { return now >= plan.renewFrom }
        return now >= due
    }

    mutating func failed(at now: Timestamp) {
        failureCount += 1
        lastFailure = now
    }

    mutating func renewed(_ validity: CertificateValidity) { self = RenewalSchedule(of: validity) }
}
