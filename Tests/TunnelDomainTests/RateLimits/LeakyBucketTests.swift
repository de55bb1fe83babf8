import TestSupport
import Testing
import TunnelDomain

struct LeakyBucketTests {
    private let limit = RateLimit(limit: 3, window: .seconds(60), name: "test")
    private func at(_ seconds: Double) -> MonotonicInstant { MonotonicInstant(nanoseconds: Int64(seconds * 1e9)) }

    @Test func `a burst of the limit fits, and then one for each part of the window`() {
        let bucket = Box(at: at(0))
        for remaining in [2, 1, 0] {
            #expect(bucket.take(at: at(0), limit) == .allowed(remaining: remaining, resetAfter: .seconds(20)))
        }
        #expect(bucket.take(at: at(0), limit) == .refused(retryAfter: .seconds(20)))
        #expect(bucket.take(at: at(19.999_999), limit) == .refused(retryAfter: .microseconds(1)))
        #expect(bucket.take(at: at(20), limit) == .allowed(remaining: 0, resetAfter: .seconds(20)))
        #expect(bucket.take(at: at(20), limit) == .refused(retryAfter: .seconds(20)))
        #expect(bucket.take(at: at(80), limit) == .allowed(remaining: 2, resetAfter: .seconds(20)))
    }

    @Test func `a refused request costs nothing, and none fits a limit of zero`() {
        let bucket = Box(at: at(0))
        for _ in 0..<3 { _ = bucket.take(at: at(0), limit) }
        for _ in 0..<1000 { #expect(!bucket.take(at: at(10), limit).isAllowed) }
        #expect(bucket.take(at: at(20), limit).isAllowed)
        let none = RateLimit(limit: 0, window: .seconds(60), name: "none")
        let other = Box(at: at(0))
        #expect(other.take(at: at(0), none) == .refused(retryAfter: .seconds(60)))
    }

    @Test func `a clock that stands still or goes back lets nothing more through`() {
        let bucket = Box(at: at(100))
        for _ in 0..<3 { _ = bucket.take(at: at(100), limit) }
        #expect(!bucket.take(at: at(0), limit).isAllowed)
        #expect(bucket.take(at: at(120), limit).isAllowed)
    }

    @Test func `the largest limit and the longest window still count exactly`() {
        let large = RateLimit(limit: LeakyBucket.limitMax, window: .seconds(60), name: "large")
        let bucket = Box(at: at(0))
        #expect(bucket.take(at: at(0), large) == .allowed(remaining: LeakyBucket.limitMax - 1, resetAfter: .microseconds(1)))
        let long = RateLimit(limit: 2, window: LeakyBucket.windowMax, name: "long")
        let slow = Box(at: at(0))
        _ = slow.take(at: at(0), long)
        _ = slow.take(at: at(0), long)
        #expect(slow.take(at: at(1), long) == .refused(retryAfter: .seconds(1799)))
    }

    /// A request fits if no stretch of time that it ends has more than the limit and what drains in that stretch.
    private func fits(at now: Int64, after taken: [Int64], _ limit: RateLimit) -> Bool {
        let window = limit.window.wholeMicroseconds
        return limit.limit > 0
            && taken.indices.allSatisfy { first in
                Int64(taken.count - first + 1) * window <= Int64(limit.limit) * (window + now - taken[first])
            }
    }

    @Test func `it decides as if every request were remembered, and its wait is exact`() throws {
        try checkProperty { sample in
            let limit = RateLimit(
                limit: sample.int(in: 0...7), window: .microseconds(sample.int64(in: 1...50)), name: "test")
            var now: Int64 = 0
            var taken: [Int64] = []
            var bucket = LeakyBucket(at: MonotonicInstant(nanoseconds: 0))
            for _ in 0..<sample.int(in: 1...60) {
                now += sample.int64(in: 0...20)
                sample.note("\(now)")
                let decision = bucket.take(at: MonotonicInstant(nanoseconds: now * 1000), limit)
                try sample.check(decision.isAllowed, is: fits(at: now, after: taken, limit), "at \(now) after \(taken)")
                switch decision {
                case .allowed(let remaining, _):
                    taken.append(now)
                    let more = taken + Array(repeating: now, count: remaining)
                    try sample.check(!fits(at: now, after: more, limit), "more than \(remaining) are left")
                    if remaining > 0 { try sample.check(fits(at: now, after: more.dropLast(), limit), "\(remaining) are left") }
                case .refused(let wait) where limit.limit > 0:
                    let wait = wait.wholeMicroseconds
                    try sample.check(fits(at: now + wait, after: taken, limit), "a wait of \(wait) suffices")
                    try sample.check(!fits(at: now + wait - 1, after: taken, limit), "a wait of \(wait) is the shortest")
                case .refused: break
                }
            }
        }
    }
}

/// A bucket that changes behind a constant, so that an expectation can take from it.
private final class Box {
    private var bucket: LeakyBucket

    init(at now: MonotonicInstant) { bucket = LeakyBucket(at: now) }

    @discardableResult
    func take(at now: MonotonicInstant, _ limit: RateLimit) -> RateLimitDecision { bucket.take(at: now, limit) }
}
