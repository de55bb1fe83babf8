/// A moment of wall time, to the microsecond, as Unix counts it: without leap seconds.
///
/// Validity, deadlines that people see and everything that is stored use wall time; timers use ``MonotonicInstant``.
/// Arithmetic that would leave the representable range (some 292,000 years around 1970) stays at its end.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z; negative before it.
    public var microsecondsSinceEpoch: Int64

    /// Takes microseconds since 1970-01-01T00:00:00Z, negative before it.
    public init(microsecondsSinceEpoch: Int64) {
        self.microsecondsSinceEpoch = microsecondsSinceEpoch
    }

    /// Takes whole seconds since 1970-01-01T00:00:00Z.
    public init(secondsSinceEpoch: Int64) {
        microsecondsSinceEpoch = secondsSinceEpoch.saturatingMultiplied(by: 1_000_000)
    }

    /// The moment in whole seconds since 1970-01-01T00:00:00Z, rounded towards the past.
    public var secondsSinceEpoch: Int64 {
        microsecondsSinceEpoch.flooringDivided(by: 1_000_000).quotient
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microsecondsSinceEpoch < right.microsecondsSinceEpoch
    }
}

extension Timestamp {
    /// The moment that lies a duration later; parts of a microsecond are dropped.
    public static func + (moment: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(microsecondsSinceEpoch: moment.microsecondsSinceEpoch.saturatingAdded(duration.wholeMicroseconds))
    }

    /// The moment that lies a duration earlier; parts of a microsecond are dropped.
    public static func - (moment: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(microsecondsSinceEpoch: moment.microsecondsSinceEpoch.saturatingSubtracted(duration.wholeMicroseconds))
    }

    /// How far the left moment lies after the right one; negative when it lies before.
    public static func - (left: Timestamp, right: Timestamp) -> Duration {
        .microseconds(left.microsecondsSinceEpoch.saturatingSubtracted(right.microsecondsSinceEpoch))
    }
}
