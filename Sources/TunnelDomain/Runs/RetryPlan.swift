/// How often an action is tried, and how long the pauses are: exponential backoff with jitter.
public struct RetryPlan: Hashable, Sendable {
    /// Attempts that a plan may have.
    public static let attemptCounts = 1...100

    /// Attempts in all, the first one included.
    public let attemptsMax: Int
    /// The pause after the first attempt.
    public let firstDelay: Duration
    /// What each pause is longer by than the one before.
    public let factor: Double
    /// No pause is longer, before jitter is taken off it.
    public let delayMax: Duration
    /// The part of a pause, 0...1, of which chance takes up to all off, so that those who failed together come back apart.
    public let jitter: Double

    /// Five attempts: at once and after about 2, 4, 8 and 16 seconds.
    public static let usual = RetryPlan(
        attemptsMax: 5, firstDelay: .seconds(2), factor: 2, delayMax: .seconds(300), jitter: 0.2)

    /// A plan whose values are in range: attempts in ``attemptCounts``, delays not negative, a factor from 1 up.
    public init(attemptsMax: Int, firstDelay: Duration, factor: Double, delayMax: Duration, jitter: Double) {
        precondition(Self.attemptCounts.contains(attemptsMax), "configuration has refused other counts")
        precondition(firstDelay >= .zero && delayMax >= firstDelay && factor >= 1, "configuration has refused such pauses")
        precondition((0...1).contains(jitter), "configuration has refused such a jitter")
        self.attemptsMax = attemptsMax
        self.firstDelay = firstDelay
        self.factor = factor
        self.delayMax = delayMax
        self.jitter = jitter
    }

    /// The pause after the nth attempt, counted from 1; nil when there is no further attempt.
    public func delay(afterAttempt count: Int, using random: inout some RandomNumberGenerator) -> Duration? {
        precondition(count >= 1, "attempts are counted from 1")
        guard count < attemptsMax else { return nil }
        var whole = firstDelay
        // One step at a time up to the longest: a power would overflow, and a plan has at most a hundred attempts.
        for _ in 1..<count where whole < delayMax { whole = min(delayMax, whole * factor) }
        return whole * (1 - jitter * Double.random(in: 0...1, using: &random))
    }
}
