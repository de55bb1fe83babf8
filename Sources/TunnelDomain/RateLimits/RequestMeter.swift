/// The requests of many callers against one limit, in memory and in constant time for each request.
///
/// The number of callers is bounded. They are kept in two generations: whoever makes a request is in the young one, and when
/// that is full, or a window old, it becomes the old one and what was old is forgotten. So nobody who made a request within
/// the last window is forgotten, unless more than ``callerCountMax`` others have made one since: then those silent longest
/// begin anew. Whoever has so many addresses is not held by a limit for each of them.
public struct RequestMeter<Caller: Hashable & Sendable>: Sendable {
    public let limit: RateLimit
    /// The most callers of one generation; twice as many are remembered at most.
    public let callerCountMax: Int
    private var young: [Caller: LeakyBucket] = [:]
    private var old: [Caller: LeakyBucket] = [:]
    private var youngSince: MonotonicInstant?

    /// - Precondition: at least one caller is remembered.
    public init(limit: RateLimit, callerCountMax: Int = 65_536) {
        precondition(callerCountMax > 0, "a meter remembers at least one caller")
        self.limit = limit
        self.callerCountMax = callerCountMax
    }

    /// How many callers are remembered.
    public var callerCount: Int { young.count + old.count }

    /// Decides on a request of a caller, and counts it when it fits; one that is refused costs nothing.
    public mutating func request(by caller: Caller, at now: MonotonicInstant) -> RateLimitDecision {
        age(at: now)
        var bucket = young[caller] ?? old.removeValue(forKey: caller) ?? LeakyBucket(at: now)
        let decision = bucket.take(at: now, limit)
        if young[caller] == nil, young.count >= callerCountMax { turnOver(at: now) }
        young[caller] = bucket
        return decision
    }

    private mutating func age(at now: MonotonicInstant) {
        guard let since = youngSince else { return youngSince = now }
        if now - since >= limit.window { turnOver(at: now) }
    }

    private mutating func turnOver(at now: MonotonicInstant) {
        old = young
        young = [:]
        youngSince = now
    }
}
