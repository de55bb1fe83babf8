extension Duration {
    /// The duration in microseconds, towards zero; beyond the range of `Int64` its nearest end.
    public var wholeMicroseconds: Int64 { whole(unitsPerSecond: 1_000_000) }

    /// The duration in nanoseconds, towards zero; beyond the range of `Int64` its nearest end.
    public var wholeNanoseconds: Int64 { whole(unitsPerSecond: 1_000_000_000) }

    /// The duration in seconds, rounded up: what a `Retry-After` header must say so that the wait suffices.
    public var secondsRoundedUp: Int64 {
        components.attoseconds > 0 ? components.seconds.saturatingAdded(1) : components.seconds
    }

    /// A duration of whole hours.
    public static func hours(_ count: Int64) -> Duration { .seconds(count * 3600) }

    /// A duration of whole days of 24 hours.
    public static func days(_ count: Int64) -> Duration { .seconds(count * 86_400) }

    private func whole(unitsPerSecond: Int64) -> Int64 {
        let (seconds, attoseconds) = components
        let fraction = attoseconds / (1_000_000_000_000_000_000 / unitsPerSecond)
        return seconds.saturatingMultiplied(by: unitsPerSecond).saturatingAdded(fraction)
    }
}

extension Int64 {
    func saturatingAdded(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }

    func saturatingSubtracted(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : difference
    }

    func saturatingMultiplied(by other: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
    }

    /// Division that rounds towards the past, so that the remainder is never negative; the divisor is positive.
    func flooringDivided(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
