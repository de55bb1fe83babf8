package import TunnelDomain

/// A limit, and how it stands after a decision.
package struct RateLimitReport: Sendable, Hashable {
    package let limit: RateLimit
    package let decision: RateLimitDecision

    package init(limit: RateLimit, decision: RateLimitDecision) {
        self.limit = limit
        self.decision = decision
    }
}

extension ServiceRules {
    /// How the limit stands for one more success; throws when it does not fit.
    func requireRoom(
        for action: CountedAction, of subject: String, in store: any StoreReading, at now: Timestamp
    ) throws -> RateLimitReport {
        let limit = limit(of: action)
        let start = limit.windowStart(at: now)
        let count = try store.successCount(of: action, for: subject, after: start)
        // An operator may have lowered the limit: then more than one success has to leave before the next one fits.
        let ordinal = limit.limit > 0 ? max(0, count - limit.limit) : max(0, count - 1)
        let blocking = try store.successTime(of: action, for: subject, after: start, ordinal: ordinal)
        let decision = limit.decision(count: count, oldest: blocking, at: now)
        let report = RateLimitReport(limit: limit, decision: decision)
        guard decision.isAllowed else { throw Refusal.rateLimited(report) }
        return report
    }
}
