import TestSupport
import Testing
import TunnelDomain

struct RequestMeterTests {
    private let limit = RateLimit(limit: 3, window: .seconds(60), name: "test")
    private func at(_ seconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: seconds * 1_000_000_000) }

    @Test func `callers do not share, and the groups of addresses are counted as one`() {
        let meter = Box<AddressGroup>(limit)
        for address in ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::"] {
            #expect(meter.request(by: AddressGroup(address), at: at(0)).isAllowed)
        }
        #expect(!meter.request(by: AddressGroup("2001:db8::4"), at: at(0)).isAllowed)
        for address in ["2001:db8:0:1::1", "192.0.2.1", "192.0.2.2", "::ffff:192.0.2.1"] {
            #expect(meter.request(by: AddressGroup(address), at: at(0)).isAllowed, "\(address)")
        }
        #expect(meter.callerCount == 4)
    }

    @Test func `beyond the bound those silent longest begin anew, and the busy are held on`() {
        let meter = Box<Int>(limit, callerCountMax: 4)
        for _ in 0..<3 {
            _ = meter.request(by: 1, at: at(0))
            _ = meter.request(by: 2, at: at(0))
        }
        // Six others come, and caller 2 is heard of in between.
        for other in 10..<13 { _ = meter.request(by: other, at: at(1)) }
        #expect(!meter.request(by: 2, at: at(1)).isAllowed)
        for other in 13..<16 { _ = meter.request(by: other, at: at(1)) }
        #expect(!meter.request(by: 2, at: at(1)).isAllowed)
        #expect(meter.request(by: 1, at: at(1)).isAllowed, "forgotten")
        #expect(meter.callerCount <= 8)
    }

    @Test func `a million callers take no more room than the bound`() {
        let meter = Box<Int>(limit, callerCountMax: 100)
        for caller in 0..<1_000_000 {
            _ = meter.request(by: caller, at: at(Int64(caller / 100_000)))
            if caller % 1000 == 0 { #expect(meter.callerCount <= 200) }
        }
    }

    @Test func `it decides like a bucket for each caller while there is room for all`() throws {
        try checkProperty { sample in
            let limit = RateLimit(limit: sample.int(in: 0...4), window: .microseconds(sample.int64(in: 1...50)), name: "test")
            let meter = Box<Int>(limit, callerCountMax: 5)
            var buckets: [Int: LeakyBucket] = [:]
            var now: Int64 = 0
            for _ in 0..<sample.int(in: 1...80) {
                now += sample.int64(in: 0...30)
                let moment = MonotonicInstant(nanoseconds: now * 1000)
                let caller = sample.int(in: 0...4)
                sample.note("\(now): \(caller)")
                let expected = buckets[caller, default: LeakyBucket(at: moment)].take(at: moment, limit)
                try sample.check(meter.request(by: caller, at: moment), is: expected)
                try sample.check(meter.callerCount <= 10, "the room is bounded")
            }
        }
    }
}

/// A meter that changes behind a constant, so that an expectation can ask it.
private final class Box<Caller: Hashable & Sendable> {
    private var meter: RequestMeter<Caller>

    init(_ limit: RateLimit, callerCountMax: Int = 65_536) {
        meter = RequestMeter(limit: limit, callerCountMax: callerCountMax)
    }

    var callerCount: Int { meter.callerCount }

    @discardableResult
    func request(by caller: Caller, at now: MonotonicInstant) -> RateLimitDecision { meter.request(by: caller, at: now) }
}
