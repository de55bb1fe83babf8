/// How full one caller's share of a rate limit is: every request adds to it, and time drains it evenly.
///
/// Empty, it takes the limit's whole number at once; full, it takes one more whenever a window's part has drained. So no
/// window holds more than twice the number, and a steady caller is held to exactly the limit. It is two numbers however high
/// the limit is, and its arithmetic is exact.
public struct LeakyBucket: Hashable, Sendable {
    // One request fills as many units as the window has microseconds; each microsecond drains as many as the limit has
    // requests. Whole numbers on both sides: nothing is ever rounded.
    private var level: Int64 = 0
    private var drainedAt: MonotonicInstant

    /// The longest window: with it and the largest limit the arithmetic still fits.
    public static let windowMax: Duration = .hours(1)
    /// The largest limit.
    public static let limitMax = 1_000_000_000

    /// An empty bucket.
    public init(at now: MonotonicInstant) { drainedAt = now }

    /// Whether it has nothing left to remember.
    public func isEmpty(at now: MonotonicInstant, _ limit: RateLimit) -> Bool { level(at: now, limit) == 0 }

    /// Decides on a request, and takes it in when it fits.
    ///
    /// - Precondition: the limit is 0 to ``limitMax`` and its window up to ``windowMax``.
    public mutating func take(at now: MonotonicInstant, _ limit: RateLimit) -> RateLimitDecision {
        let decision = decision(at: now, limit)
        if decision.isAllowed {
            level = level(at: now, limit) + Self.unit(limit)
            drainedAt = max(now, drainedAt)
        }
        return decision
    }

    /// Decides on a request without taking it in.
    public func decision(at now: MonotonicInstant, _ limit: RateLimit) -> RateLimitDecision {
        let unit = Self.unit(limit)
        let rate = Int64(limit.limit)
        guard rate > 0 else { return .refused(retryAfter: limit.window) }
        let filled = level(at: now, limit) + unit
        let excess = filled - rate * unit
        guard excess <= 0 else { return .refused(retryAfter: .microseconds(Self.roundedUp(excess, rate))) }
        // The next one more is left when what fills a unit in part has drained.
        let partial = (filled - 1) % unit + 1
        return .allowed(remaining: Int(-excess / unit), resetAfter: .microseconds(Self.roundedUp(partial, rate)))
    }

    private func level(at now: MonotonicInstant, _ limit: RateLimit) -> Int64 {
        let elapsed = min(max(0, (now - drainedAt).wholeMicroseconds), Self.unit(limit))
        return max(0, level - elapsed * Int64(limit.limit))
    }

    private static func unit(_ limit: RateLimit) -> Int64 {
        precondition((0...limitMax).contains(limit.limit) && limit.window > .zero && limit.window <= windowMax, "out of bounds")
        return limit.window.wholeMicroseconds
    }

    private static func roundedUp(_ amount: Int64, _ rate: Int64) -> Int64 { (amount + rate - 1) / rate }
}
