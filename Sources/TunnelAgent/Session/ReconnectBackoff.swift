/// How long to wait before the next attempt to connect: 1 s doubling to 30 s, ±25 % (data plane §2).
struct ReconnectBackoff: Sendable, Hashable {
    static let firstPauseMilliseconds = 1_000
    static let pauseMillisecondsMax = 30_000
    static let jitterPercentMax = 25

    private(set) var failureCount = 0

    /// The connection stood: the next failure starts over.
    mutating func succeeded() { failureCount = 0 }

    /// Counts a failure and gives the pause that follows it.
    mutating func pause(using random: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(failureCount, 5)
        failureCount += 1
        let base = min(Self.firstPauseMilliseconds << doublings, Self.pauseMillisecondsMax)
        let percent = Int.random(in: (100 - Self.jitterPercentMax)...(100 + Self.jitterPercentMax), using: &random)
        return .milliseconds(base * percent / 100)
    }
}
