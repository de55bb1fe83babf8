internal import Synchronization
package import TunnelDomain

/// Counts attempts of callers by address, in memory: what is limited need not survive a restart.
package final class AttemptLimit: Sendable {
    private let window: Mutex<SlidingWindow<AddressGroup>>
    private let limit: RateLimit

    /// - Parameter callerCountMax: The most address groups that are remembered; past it the one that was silent longest is
    ///   forgotten.
    package init(_ limit: RateLimit, callerCountMax: Int = 10_000) {
        self.limit = limit
        window = Mutex(SlidingWindow(limit: limit, callerCountMax: callerCountMax))
    }

    /// Counts an attempt and tells how the limit stands; throws when there were too many.
    package func requireRoom(for address: String, at now: Timestamp) throws(Refusal) -> RateLimitReport {
        let decision = window.withLock { $0.attempt(by: AddressGroup(address), at: now) }
        let report = RateLimitReport(limit: limit, decision: decision)
        guard decision.isAllowed else { throw .rateLimited(report) }
        return report
    }
}
