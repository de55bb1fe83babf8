import TestSupport
import Testing
import TunnelDomain

struct SlidingWindowTests {
    private static let start = Timestamp(secondsSinceEpoch: 1_776_774_600)

    @Test func `three attempts are let through, the fourth waits for the first to leave`() {
        var window = SlidingWindow<AddressGroup>(limit: .keyRotationAttempts)
        let caller = AddressGroup("192.0.2.7")
        for second in 0..<3 { #expect(window.attempt(by: caller, at: Self.start + .seconds(Int64(second))).isAllowed) }
        #expect(window.attempt(by: caller, at: Self.start + .seconds(60)) == .refused(retryAfter: .seconds(840)))
        #expect(window.attempt(by: AddressGroup("192.0.2.8"), at: Self.start + .seconds(60)).isAllowed)
        #expect(window.attempt(by: caller, at: Self.start + .seconds(900)).isAllowed)
        #expect(!window.attempt(by: caller, at: Self.start + .seconds(900)).isAllowed)
    }

    @Test func `a refused attempt costs nothing`() {
        var window = SlidingWindow<Int>(limit: RateLimit(limit: 1, window: .seconds(10)))
        for second in 0..<10 {
            #expect(window.attempt(by: 1, at: Self.start + .seconds(Int64(second))).isAllowed == (second == 0))
        }
        #expect(window.attempt(by: 1, at: Self.start + .seconds(10)).isAllowed)
    }

    @Test func `the number of callers is bounded, and the most silent one is forgotten`() {
        var window = SlidingWindow<Int>(limit: RateLimit(limit: 1, window: .seconds(100)), callerCountMax: 3)
        for caller in 1...3 { #expect(window.attempt(by: caller, at: Self.start + .seconds(Int64(caller))).isAllowed) }
        #expect(window.attempt(by: 4, at: Self.start + .seconds(4)).isAllowed)
        #expect(window.callerCount == 3)
        #expect(!window.attempt(by: 2, at: Self.start + .seconds(5)).isAllowed, "2 is still remembered")
        #expect(window.attempt(by: 1, at: Self.start + .seconds(5)).isAllowed, "1 was forgotten")
    }

    @Test func `callers whose attempts no longer count are forgotten first`() {
        var window = SlidingWindow<Int>(limit: RateLimit(limit: 1, window: .seconds(10)), callerCountMax: 3)
        for caller in 1...3 { _ = window.attempt(by: caller, at: Self.start + .seconds(Int64(caller))) }
        _ = window.attempt(by: 4, at: Self.start + .seconds(12))
        #expect(window.callerCount == 2)
    }

    @Test func `attempts equal a list for each caller`() throws {
        try checkProperty { sample in
            let limit = RateLimit(limit: sample.int(in: 1...4), window: .seconds(sample.int64(in: 1...40)))
            var window = SlidingWindow<Int>(limit: limit)
            var attempts: [(caller: Int, at: Timestamp)] = []
            var now = Self.start
            for _ in 0..<sample.int(in: 0...50) {
                now = now + .seconds(sample.int64(in: 0...10))
                let caller = sample.int(in: 1...3)
                let earlier = attempts.filter { $0.caller == caller && now - $0.at < limit.window }.count
                let isAllowed = window.attempt(by: caller, at: now).isAllowed
                sample.note("\(now) \(caller) \(isAllowed)")
                try sample.check(isAllowed, is: earlier < limit.limit, "whether it is let through")
                if isAllowed { attempts.append((caller, now)) }
                if sample.chance(oneIn: 10) { window.forgetOld(at: now) }
            }
        }
    }
}
