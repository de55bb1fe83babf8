/// The recent attempts of many callers, in memory.
///
/// Made for limits on attempts, which need not survive a restart. An attempt that is refused does not count, so that a caller
/// who hammers gets in again when the window says. The number of callers is bounded: when it is reached, the one that has
/// been silent longest is forgotten.
public struct SlidingWindow<Caller: Hashable & Sendable>: Sendable {
    public let limit: RateLimit
    /// The most callers that are remembered at a time.
    public let callerCountMax: Int
    /// The attempts that were let through, oldest first, at most `limit.limit` for each caller.
    private var attempts: [Caller: [Timestamp]] = [:]

    /// - Precondition: at least one caller is remembered.
    public init(limit: RateLimit, callerCountMax: Int = 10_000) {
        precondition(callerCountMax > 0, "a window remembers at least one caller")
        self.limit = limit
        self.callerCountMax = callerCountMax
    }

    /// How many callers are remembered.
    public var callerCount: Int { attempts.count }

    /// Decides on an attempt, and counts it when it is let through.
    public mutating func attempt(by caller: Caller, at now: Timestamp) -> RateLimitDecision {
        let start = limit.windowStart(at: now)
        let counted = (attempts[caller] ?? []).filter { $0 > start }
        let decision = limit.decision(successes: counted, at: now)
        if decision.isAllowed {
            if attempts[caller] == nil { makeRoom(at: now) }
            attempts[caller] = counted + [now]
        }
        return decision
    }

    /// Forgets the callers none of whose attempts counts any more.
    public mutating func forgetOld(at now: Timestamp) {
        let start = limit.windowStart(at: now)
        attempts = attempts.filter { _, moments in moments.contains { $0 > start } }
    }

    private mutating func makeRoom(at now: Timestamp) {
        guard attempts.count >= callerCountMax else { return }
        forgetOld(at: now)
        guard attempts.count >= callerCountMax else { return }
        let silent = attempts.min { Self.latest($0.value) < Self.latest($1.value) }
        if let silent { attempts[silent.key] = nil }
    }

    private static func latest(_ moments: [Timestamp]) -> Timestamp {
        moments.max() ?? Timestamp(microsecondsSinceEpoch: .min)
    }
}
