/// How fast requests may come: a steady rate, and as many at once as make up a second of it (the generic cell rate algorithm,
/// ITU-T I.371 annex A).
///
/// All that it remembers is one number, and a decision is a comparison and an addition: it is asked for every request.
public struct RequestPace: Hashable, Sendable {
    /// The rates that can be kept exactly enough: the pause between two requests is whole nanoseconds.
    public static let ratesPerSecond = 1...1_000_000

    /// Nanoseconds between two requests at the steady rate.
    private let interval: Int64
    /// How far the requests may be ahead of it.
    private let lead: Int64
    /// When the next request would come if all so far had kept the steady rate, or since then; in nanoseconds.
    private var due = Int64.min

    /// - Precondition: the rate is one of ``ratesPerSecond``.
    public init(perSecondMax rate: Int) {
        precondition(Self.ratesPerSecond.contains(rate), "a pace has a rate within its bounds")
        interval = 1_000_000_000 / Int64(rate)
        lead = interval * Int64(rate - 1)
    }

    /// Whether one more request keeps the pace; one that does is counted. Time must not run backwards.
    public mutating func take(at now: MonotonicInstant) -> Bool {
        let start = max(due, now.nanoseconds)
        guard start - now.nanoseconds <= lead else { return false }
        due = start.saturatingAdded(interval)
        return true
    }
}
