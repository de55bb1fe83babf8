/// A moment of a clock that never jumps, to the nanosecond; only differences mean anything.
///
/// Timers use it, so that a corrected wall clock neither freezes nor fires them.
/// Arithmetic that would leave the representable range (some 292 years) stays at its end.
public struct MonotonicInstant: Hashable, Comparable, Sendable {
    /// Nanoseconds since an arbitrary beginning, the same for the life of the process.
    public var nanoseconds: Int64

    /// Takes a reading of the process's monotonic clock, in nanoseconds.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    public static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The moment that lies a duration later; parts of a nanosecond are dropped.
    public static func + (moment: MonotonicInstant, duration: Duration) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: moment.nanoseconds.saturatingAdded(duration.wholeNanoseconds))
    }

    /// The moment that lies a duration earlier; parts of a nanosecond are dropped.
    public static func - (moment: MonotonicInstant, duration: Duration) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: moment.nanoseconds.saturatingSubtracted(duration.wholeNanoseconds))
    }

    /// How far the left moment lies after the right one; negative when it lies before.
    public static func - (left: MonotonicInstant, right: MonotonicInstant) -> Duration {
        .nanoseconds(left.nanoseconds.saturatingSubtracted(right.nanoseconds))
    }
}
