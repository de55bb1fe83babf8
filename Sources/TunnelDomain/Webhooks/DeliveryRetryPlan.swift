/// When to try a webhook delivery again, and when to give it up.
///
/// The waits double from 5 seconds to an hour. Each is shortened by chance by up to a half, so that receivers which were down
/// together are not all called at the same moment when they come back. After 24 hours a delivery that still fails is given up
/// (control plane, section 7; the schedule follows the advice of standardwebhooks.com).
public struct DeliveryRetryPlan: Hashable, Sendable {
    /// The wait after the first failure.
    public var firstDelay: Duration = .seconds(5)
    /// The longest wait, also of those that a receiver asks for.
    public var delayMax: Duration = .hours(1)
    /// How long after its making a delivery is still tried.
    public var lifetime: Duration = .hours(24)

    /// The plan with its defaults; each of them can be changed.
    public init() {}

    /// What follows a failed attempt.
    public enum Next: Hashable, Sendable {
        case retry(at: Timestamp)
        /// The next attempt would come too late.
        case giveUp
    }

    /// Decides after a failure.
    ///
    /// - Parameters:
    ///   - count: The failures so far, this one included; at least 1.
    ///   - made: When the delivery was made.
    ///   - wish: How long the receiver asked to be left alone (`Retry-After`), or nil; it can only make the wait longer.
    public func next(
        afterFailures count: Int, madeAt made: Timestamp, wish: Duration? = nil, at now: Timestamp,
        using random: inout some RandomNumberGenerator
    ) -> Next {
        precondition(count >= 1, "the plan is asked after a failure")
        let full = delay(afterFailures: count)
        let shortened = full - .microseconds(Int64.random(in: 0...(full / 2).wholeMicroseconds, using: &random))
        let next = now + max(shortened, min(wish ?? .zero, delayMax))
        return next <= made + lifetime ? .retry(at: next) : .giveUp
    }

    /// The wait before chance shortens it.
    public func delay(afterFailures count: Int) -> Duration {
        // Doubled as often as changes anything; the count itself may be large.
        var (delay, doublings) = (firstDelay, count - 1)
        while doublings > 0, Duration.zero < delay, (delay < delayMax) {
            delay = delay * 2
            doublings -= 1
        }
        return min(delay, delayMax)
    }
}
