// The response fields of draft-ietf-httpapi-ratelimit-headers (structured fields, RFC 9651) and RFC 9110 section 10.2.3.

extension RateLimit {
    /// The value of `RateLimit-Policy`, such as `"tunnel-creates";q=10;w=86400`.
    public var policyHeaderValue: String {
        "\"\(name)\";q=\(limit);w=\(window.secondsRoundedUp)"
    }

    /// The value of `RateLimit`, such as `"tunnel-creates";r=7;t=3600`: what is left, and the seconds until more is.
    public func headerValue(for decision: RateLimitDecision) -> String {
        switch decision {
        case .allowed(let remaining, let resetAfter):
            "\"\(name)\";r=\(remaining);t=\(max(0, resetAfter.secondsRoundedUp))"
        case .refused(let retryAfter):
            "\"\(name)\";r=0;t=\(Self.retrySeconds(retryAfter))"
        }
    }

    /// The value of `Retry-After`: whole seconds, rounded up so that the wait suffices, at least 1; nil when allowed.
    public func retryAfterHeaderValue(for decision: RateLimitDecision) -> String? {
        switch decision {
        case .allowed: nil
        case .refused(let retryAfter): String(Self.retrySeconds(retryAfter))
        }
    }

    private static func retrySeconds(_ duration: Duration) -> Int64 { max(1, duration.secondsRoundedUp) }
}
