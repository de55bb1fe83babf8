/// When a request that failed is sent once more.
///
/// Only requests that can do no harm twice are: GET, and a POST that carries an `Idempotency-Key`, which the server answers
/// the second time as it did the first.
public struct RetryPolicy: Sendable, Hashable {
    /// How often a request is sent at most, the first time included; at least 1.
    public var attemptCountMax: Int
    /// The pause before the second attempt, in milliseconds; it doubles each time.
    public var firstPauseMilliseconds: Int
    /// A `Retry-After` longer than this, in seconds, is told to the caller instead of waited for.
    public var retryAfterSecondsMax: Int

    /// By default three attempts, a quarter and half a second apart.
    public init(attemptCountMax: Int = 3, firstPauseMilliseconds: Int = 250, retryAfterSecondsMax: Int = 10) {
        precondition(attemptCountMax >= 1, "a request is sent at least once")
        precondition(firstPauseMilliseconds >= 0 && retryAfterSecondsMax >= 0, "a pause cannot be negative")
        self.attemptCountMax = attemptCountMax
        self.firstPauseMilliseconds = firstPauseMilliseconds
        self.retryAfterSecondsMax = retryAfterSecondsMax
    }

    /// Every request once.
    public static let never = RetryPolicy(attemptCountMax: 1)

    /// The pause before another attempt, or nil when this failure is the caller's to know.
    func pause(afterAttempt attempt: Int, failure: ClientError) -> Duration? {
        guard attempt < attemptCountMax else { return nil }
        let step = Duration.milliseconds(firstPauseMilliseconds << min(attempt - 1, 16))
        switch failure {
        case .refused(let refusal):
            // The first attempt is still at work: it was only its answer that got lost.
            if refusal.status == 409, refusal.code == "idempotency-key-in-flight" { return step }
            guard [502, 503, 504].contains(refusal.status) else { return nil }
            guard let seconds = refusal.retryAfterSeconds else { return step }
            return seconds <= retryAfterSecondsMax ? .seconds(seconds) : nil
        case .noAnswer(.untrustedCertificate):
            return nil
        case .noAnswer(.unreachable), .noAnswer(.connectionLost), .noAnswer(.timedOut):
            return step
        case .unusableAnswer, .credentialUnusable, .cancelled:
            return nil
        }
    }
}
