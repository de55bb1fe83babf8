import TestSupport
import Testing
import TunnelDomain

struct DurationTests {
    @Test(
        arguments: [
            (Duration.zero, 0), (.nanoseconds(1), 1), (.milliseconds(999), 1), (.seconds(1), 1), (.milliseconds(1001), 2),
            (.milliseconds(-1), 0), (.milliseconds(-1500), -1),
        ] as [(Duration, Int64)])
    func `seconds are rounded up, so that a wait suffices`(duration: Duration, seconds: Int64) {
        #expect(duration.secondsRoundedUp == seconds)
    }

    @Test func `hours and days are what they say`() {
        #expect(Duration.hours(24) == .days(1))
        #expect(Duration.days(1) == .seconds(86_400))
    }

    @Test func `durations too long for their unit stay at its end`() {
        #expect(Duration.seconds(Int64.max).wholeMicroseconds == .max)
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
        #expect(Duration.seconds(Int64.max).secondsRoundedUp == .max)
    }

    @Test func `monotonic arithmetic agrees with the numbers`() throws {
        try checkProperty { sample in
            let start = sample.int64(in: -1 << 61...1 << 61)
            let step = sample.int64(in: -1 << 61...1 << 61)
            sample.note("\(start) \(step)")
            let moment = MonotonicInstant(nanoseconds: start)
            try sample.check((moment + .nanoseconds(step)).nanoseconds, is: start + step)
            try sample.check((moment - .nanoseconds(step)).nanoseconds, is: start - step)
            try sample.check((moment + .nanoseconds(step)) - moment, is: .nanoseconds(step))
        }
    }

    @Test func `monotonic arithmetic stays at the end of its range`() {
        let last = MonotonicInstant(nanoseconds: .max)
        #expect(last + .seconds(1) == last)
        #expect(MonotonicInstant(nanoseconds: .min) - .seconds(1) == MonotonicInstant(nanoseconds: .min))
    }
}
