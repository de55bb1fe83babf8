import Testing

@testable import TunnelDomain

struct DurationHistogramTests {
    static let scale = DurationHistogram.Scale(microseconds: [1, 10])

    @Test(
        arguments: [
            (-5, 0), (0, 0), (1_000, 0), (1_001, 1), (10_000, 1), (10_001, 2), (Int64.max, 2),
        ] as [(Int64, Int)])
    func `a bound belongs to the bucket that it ends`(nanoseconds: Int64, place: Int) {
        var histogram = DurationHistogram(Self.scale)
        histogram.record(nanoseconds: nanoseconds)
        #expect(histogram.counts.enumerated().allSatisfy { $0.element == ($0.offset == place ? 1 : 0) })
        #expect(histogram.sumNanoseconds == max(0, nanoseconds))
    }

    @Test(arguments: 0..<20)
    func `the sum of two is what one would have counted`(seed: Int) {
        var random = SystemRandomNumberGenerator()
        var (one, other, both) = (DurationHistogram(.requests), DurationHistogram(.requests), DurationHistogram(.requests))
        for _ in 0..<100 {
            let time = Int64.random(in: 0...100_000_000_000, using: &random)
            if time.isMultiple(of: 2) { one.record(nanoseconds: time) } else { other.record(nanoseconds: time) }
            both.record(nanoseconds: time)
        }
        one += other
        #expect(one == both)
        #expect(both.count == 100)
    }
}
