/// So many successes within a rolling window of time.
///
/// Only successes count, unless the caller says otherwise: a refused or failed call costs nothing (control plane, section 3).
/// A decision needs two numbers of the window, which a store counts with one query; see ``windowStart(at:)``.
public struct RateLimit: Hashable, Sendable {
    /// What the limit is called in `RateLimit-Policy`: letters, digits and hyphens.
    public let name: String
    /// The most successes in any window; 0 allows none.
    public let limit: Int
    /// How long a success counts.
    public let window: Duration

    /// - Precondition: the limit is not negative, the window is positive, the name can stand in a header.
    public init(limit: Int, window: Duration, name: String = "default") {
        precondition(limit >= 0 && window > .zero, "a rate limit has a limit and a window")
        precondition(
            !name.isEmpty && name.utf8.allSatisfy { Base62.isDigit($0) || $0 == ASCII.minus }, "a limit's name is plain")
        self.name = name
        self.limit = limit
        self.window = window
    }

    /// 10 tunnels created per organization and day; identities' tunnels count too.
    public static let tunnelCreates = RateLimit(limit: 10, window: .days(1), name: "tunnel-creates")
    /// 5 rotations of the connect secret per tunnel and day.
    public static let secretRotations = RateLimit(limit: 5, window: .days(1), name: "secret-rotations")
    /// 10 signed certificates per tunnel and day.
    public static let csrSignings = RateLimit(limit: 10, window: .days(1), name: "csr-signings")
    /// 3 attempts, not successes, to rotate a key per address group and 15 minutes (control plane, section 5).
    public static let keyRotationAttempts = RateLimit(limit: 3, window: .seconds(15 * 60), name: "key-rotations")
    /// 10 rotations of API keys by their ids, counted for each identity, and once for the keys of the organization, per day.
    public static let apiKeyRotations = RateLimit(limit: 10, window: .days(1), name: "api-key-rotations")
    /// 6,000 requests to the API per minute, counted for each address group and for each credential.
    public static let apiRequests = RateLimit(limit: 6_000, window: .seconds(60), name: "api-requests")
    /// 300 failed authentications per address group and minute.
    public static let authFailures = RateLimit(limit: 300, window: .seconds(60), name: "auth-failures")
}

// MARK: - Deciding

extension RateLimit {
    /// What happened after this moment counts at `now`; what happened at it no longer does.
    public func windowStart(at now: Timestamp) -> Timestamp { now - window }

    /// Decides whether one more success fits.
    ///
    /// - Parameters:
    ///   - count: The successes after ``windowStart(at:)``.
    ///   - oldest: The earliest of them, or nil when there are none. When an operator has lowered the limit below what was
    ///     already used, give the `limit`-th newest instead, or the wait that is told may not be the last.
    public func decision(count: Int, oldest: Timestamp?, at now: Timestamp) -> RateLimitDecision {
        let resetAfter = (oldest ?? now) + window - now
        if count >= limit { return .refused(retryAfter: resetAfter) }
        return .allowed(remaining: limit - count - 1, resetAfter: resetAfter)
    }

    /// Decides from the moments of all successes, in any order.
    public func decision(successes: some Sequence<Timestamp>, at now: Timestamp) -> RateLimitDecision {
        let start = windowStart(at: now)
        let counted = successes.filter { $0 > start }.sorted()
        // The success that has to leave before the next one fits: more may be there than a lowered limit allows.
        let blocking = counted.count > limit && limit > 0 ? counted[counted.count - limit] : counted.first
        return decision(count: counted.count, oldest: blocking, at: now)
    }
}

/// Whether a call fits into its limit.
public enum RateLimitDecision: Hashable, Sendable {
    /// It fits. So many more fit after it, and the oldest success that counts stops doing so after that time.
    case allowed(remaining: Int, resetAfter: Duration)
    /// It does not fit before that time has passed.
    case refused(retryAfter: Duration)

    public var isAllowed: Bool {
        switch self {
        case .allowed: true
        case .refused: false
        }
    }
}
