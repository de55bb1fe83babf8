internal import TunnelDomain

/// How long to wait before the next attempt to connect: 1 s doubling to 30 s, ±25 % (data plane §2).
struct ReconnectBackoff: Sendable, Hashable {
    static let firstPauseMilliseconds = 1_000
    static let pauseMillisecondsMax = 30_000
    static let jitterPercentMax = 25

    /// How long after a sign that the network is back an attempt is made: such signs come in bursts.
    static let settlingPause: Duration = .milliseconds(250)
    /// Attempts that such signs bring about are at least this far apart, so that a network that flaps hammers nobody.
    static let hurryApartMin: Duration = .seconds(2)

    private(set) var failureCount = 0
    private var lastHurry: MonotonicInstant?

    /// The connection stood: the next failure starts over.
    mutating func succeeded() { failureCount = 0 }

    /// When to try instead, since there is a sign that the network is back. What was counted stays counted.
    mutating func hurry(at now: MonotonicInstant) -> MonotonicInstant {
        let soonest = now + Self.settlingPause
        let moment = lastHurry.map { max(soonest, $0 + Self.hurryApartMin) } ?? soonest
        lastHurry = moment
        return moment
    }

    /// Counts a failure and gives the pause that follows it.
    mutating func pause(using random: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(failureCount, 5)
        failureCount += 1
        let base = min(Self.firstPauseMilliseconds << doublings, Self.pauseMillisecondsMax)
        let percent = Int.random(in: (100 - Self.jitterPercentMax)...(100 + Self.jitterPercentMax), using: &random)
        return .milliseconds(base * percent / 100)
    }
}
