internal import Synchronization
internal import TunnelDomain
internal import TunnelService

/// Holds back whoever asks too much of the API; everything it knows is in memory and bounded.
final class RequestGate: Sendable {
    private struct Meters {
        var addresses: RequestMeter<AddressGroup>
        var credentials: RequestMeter<AuditActor>
        var failures: RequestMeter<AddressGroup>
    }

    private let meters: Mutex<Meters>
    private let now: @Sendable () -> MonotonicInstant

    init(_ limits: RequestLimits, now: @escaping @Sendable () -> MonotonicInstant) {
        self.now = now
        meters = Mutex(
            Meters(
                addresses: RequestMeter(limit: limits.apiRequests, callerCountMax: limits.callersMax),
                credentials: RequestMeter(limit: limits.apiRequests, callerCountMax: limits.callersMax),
                failures: RequestMeter(limit: limits.authFailures, callerCountMax: limits.callersMax)))
    }

    /// Counts a request from an address, before anything is known of it.
    func admit(from address: String) throws(Refusal) {
        try refuse(meters.withLock { ($0.addresses.limit, $0.addresses.request(by: AddressGroup(address), at: now())) })
    }

    /// Counts a request with a credential, which may come from many addresses.
    func admit(_ actor: AuditActor) throws(Refusal) {
        try refuse(meters.withLock { ($0.credentials.limit, $0.credentials.request(by: actor, at: now())) })
    }

    /// Counts a failed authentication: the answer is 401, or 429 when it was one too many.
    ///
    /// A credential that counts is let in all the same, so that nobody is locked out by a neighbour behind the same address.
    func failed(from address: String) -> Refusal {
        let (limit, decision) = meters.withLock {
            ($0.failures.limit, $0.failures.request(by: AddressGroup(address), at: now()))
        }
        return decision.isAllowed ? .unauthenticated : .rateLimited(RateLimitReport(limit: limit, decision: decision))
    }

    private func refuse(_ answer: (limit: RateLimit, decision: RateLimitDecision)) throws(Refusal) {
        guard answer.decision.isAllowed else {
            throw .rateLimited(RateLimitReport(limit: answer.limit, decision: answer.decision))
        }
    }
}
