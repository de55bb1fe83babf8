import TestSupport
import Testing
import TunnelDomain

struct RateLimitTests {
    private static let start = Timestamp(secondsSinceEpoch: 1_776_774_600)

    @Test(arguments: [
        (RateLimit.tunnelCreates, 10, Duration.days(1)), (.secretRotations, 5, .days(1)), (.csrSignings, 10, .days(1)),
        (.keyRotationAttempts, 3, .seconds(900)),
    ])
    func `the documented limits are the defaults`(limit: RateLimit, count: Int, window: Duration) {
        #expect((limit.limit, limit.window) == (count, window))
    }

    @Test func `the last success that fits is allowed, the next is refused until the oldest has left`() {
        let limit = RateLimit(limit: 2, window: .seconds(10))
        let one = [Self.start]
        let two = [Self.start, Self.start + .seconds(4)]
        let now = Self.start + .seconds(5)
        #expect(limit.decision(successes: [], at: now) == .allowed(remaining: 1, resetAfter: .seconds(10)))
        #expect(limit.decision(successes: one, at: now) == .allowed(remaining: 0, resetAfter: .seconds(5)))
        #expect(limit.decision(successes: two, at: now) == .refused(retryAfter: .seconds(5)))
        #expect(limit.decision(successes: two, at: Self.start + .seconds(10)).isAllowed)
        #expect(!limit.decision(successes: two, at: Self.start + .seconds(10) - .microseconds(1)).isAllowed)
    }

    @Test func `a lowered limit waits until enough have left`() {
        let limit = RateLimit(limit: 1, window: .seconds(10))
        let three = [0, 2, 4].map { Self.start + .seconds($0) }
        #expect(limit.decision(successes: three, at: Self.start + .seconds(5)) == .refused(retryAfter: .seconds(9)))
    }

    @Test func `a limit of 0 allows nothing`() {
        let limit = RateLimit(limit: 0, window: .seconds(10))
        #expect(limit.decision(count: 0, oldest: nil, at: Self.start) == .refused(retryAfter: .seconds(10)))
    }

    @Test func `headers have the form of the draft`() {
        let limit = RateLimit.tunnelCreates
        #expect(limit.policyHeaderValue == #""tunnel-creates";q=10;w=86400"#)
        let allowed = RateLimitDecision.allowed(remaining: 7, resetAfter: .milliseconds(3_599_001))
        #expect(limit.headerValue(for: allowed) == #""tunnel-creates";r=7;t=3600"#)
        #expect(limit.retryAfterHeaderValue(for: allowed) == nil)
        let refused = RateLimitDecision.refused(retryAfter: .milliseconds(1500))
        #expect(limit.headerValue(for: refused) == #""tunnel-creates";r=0;t=2"#)
        #expect(limit.retryAfterHeaderValue(for: refused) == "2")
        #expect(limit.retryAfterHeaderValue(for: .refused(retryAfter: .microseconds(1))) == "1")
        #expect(limit.retryAfterHeaderValue(for: .refused(retryAfter: .zero)) == "1")
    }

    @Test func `accounting equals counting every success`() throws {
        try checkProperty { sample in
            let limit = RateLimit(limit: sample.int(in: 1...6), window: .seconds(sample.int64(in: 1...50)))
            var successes: [Timestamp] = []
            var now = Self.start
            sample.note("\(limit.limit) in \(limit.window)")
            for _ in 0..<sample.int(in: 0...40) {
                now = now + .microseconds(sample.int64(in: 0...20_000_000))
                let counted = successes.filter { now - $0 < limit.window }
                let decision = limit.decision(successes: successes, at: now)
                sample.note("\(now) \(decision)")
                try sample.check(decision.isAllowed, is: counted.count < limit.limit, "whether it is allowed")
                // A store that counts with one query comes to the same.
                let start = limit.windowStart(at: now)
                let inWindow = successes.filter { $0 > start }
                try sample.check(
                    limit.decision(count: inWindow.count, oldest: inWindow.min(), at: now), is: decision, "the store's decision"
                )
                if case .allowed(let remaining, _) = decision {
                    try sample.check(remaining, is: limit.limit - counted.count - 1, "what remains")
                    // Some calls fail after all and cost nothing.
                    if !sample.chance(oneIn: 4) { successes.append(now) }
                }
            }
        }
    }

    @Test func `no window of time ever holds more successes than the limit`() throws {
        try checkProperty { sample in
            let limit = RateLimit(limit: sample.int(in: 1...5), window: .seconds(30))
            var successes: [Timestamp] = []
            var now = Self.start
            for _ in 0..<sample.int(in: 0...60) {
                now = now + .seconds(sample.int64(in: 0...15))
                if limit.decision(successes: successes, at: now).isAllowed { successes.append(now) }
            }
            sample.note("\(successes)")
            for end in successes {
                let within = successes.filter { $0 <= end && end - $0 < limit.window }
                try sample.check(within.count <= limit.limit, "\(within.count) within a window that ends at \(end)")
            }
        }
    }

    @Test func `the wait that is told suffices, and not a moment less`() throws {
        try checkProperty { sample in
            let limit = RateLimit(limit: sample.int(in: 1...4), window: .seconds(60))
            let successes = (0..<sample.int(in: 1...8)).map { _ in Self.start + .microseconds(sample.int64(in: 0...60_000_000))
            }
            let now = Self.start + .microseconds(sample.int64(in: 60_000_000...130_000_000))
            sample.note("\(limit.limit) of \(successes) at \(now)")
            guard case .refused(let wait) = limit.decision(successes: successes, at: now) else { return }
            try sample.check(wait > .zero, "nothing to wait for")
            try sample.check(limit.decision(successes: successes, at: now + wait).isAllowed, "refused after the wait")
            let sooner = now + wait - .microseconds(1)
            try sample.check(!limit.decision(successes: successes, at: sooner).isAllowed, "allowed before the wait is over")
        }
    }
}
