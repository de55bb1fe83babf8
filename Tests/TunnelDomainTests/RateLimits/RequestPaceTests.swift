import Testing
import TunnelDomain

struct RequestPaceTests {
    private static func at(_ milliseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
    }

    @Test(arguments: [1, 2, 10, 1_000, 1_000_000])
    func `a second's worth comes at once, and the next one when its turn is due`(rate: Int) {
        var pace = RequestPace(perSecondMax: rate)
        let start = Self.at(5_000)
        var count = 0
        while pace.take(at: start) { count += 1 }
        #expect(count == rate)
        let interval = 1_000_000_000 / Int64(rate)
        #expect(pace.take(at: MonotonicInstant(nanoseconds: start.nanoseconds + interval - 1)) == false)
        #expect(pace.take(at: MonotonicInstant(nanoseconds: start.nanoseconds + interval)) == true)
        #expect(pace.take(at: MonotonicInstant(nanoseconds: start.nanoseconds + interval)) == false)
    }

    @Test func `whoever keeps to the rate is never refused, and silence gives a second's worth and no more`() {
        var pace = RequestPace(perSecondMax: 10)
        for number in 0..<1_000 { #expect(pace.take(at: Self.at(Int64(number) * 100)) == true) }
        for _ in 0..<10 { #expect(pace.take(at: Self.at(500_000)) == true) }
        #expect(pace.take(at: Self.at(500_000)) == false)
    }

    @Test func `a request that is refused costs nothing`() {
        var pace = RequestPace(perSecondMax: 2)
        _ = [pace.take(at: Self.at(0)), pace.take(at: Self.at(0))]
        for moment in 0..<100 { #expect(pace.take(at: Self.at(Int64(moment))) == false) }
        #expect(pace.take(at: Self.at(500)) == true)
    }

    @Test(arguments: [Int64.min, -1, 0, Int64.max - 1, Int64.max])
    func `it works from the beginning of time to its end`(nanoseconds: Int64) {
        var pace = RequestPace(perSecondMax: 1)
        #expect(pace.take(at: MonotonicInstant(nanoseconds: nanoseconds)) == true)
    }
}
