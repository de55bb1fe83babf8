/// How often something took how long: a count for each bucket, and the sum.
///
/// Plain integers for one owner; recording allocates nothing. Histograms of one scale add up.
package struct DurationHistogram: Sendable, Hashable {
    /// The upper ends of the buckets, rising; what is longer than all of them is counted behind the last.
    package let scale: Scale
    /// For each bucket what fell into it, and what was longer than all; one more than the scale has bounds.
    package private(set) var counts: [Int]
    package private(set) var sumNanoseconds: Int64 = 0

    package init(_ scale: Scale) {
        self.scale = scale
        counts = Array(repeating: 0, count: scale.boundNanoseconds.count + 1)
    }

    package var count: Int { counts.reduce(0, +) }

    /// Counts one; a negative time counts as none at all.
    package mutating func record(nanoseconds: Int64) {
        let nanoseconds = max(0, nanoseconds)
        var place = 0
        while place < scale.boundNanoseconds.count, nanoseconds > scale.boundNanoseconds[place] { place += 1 }
        counts[place] += 1
        sumNanoseconds = sumNanoseconds.saturatingAdded(nanoseconds)
    }

    /// - Precondition: both have the same scale.
    package static func += (sum: inout DurationHistogram, other: DurationHistogram) {
        precondition(sum.scale == other.scale, "only histograms of one scale add up")
        for place in other.counts.indices { sum.counts[place] += other.counts[place] }
        sum.sumNanoseconds = sum.sumNanoseconds.saturatingAdded(other.sumNanoseconds)
    }

    /// Where the buckets end.
    package struct Scale: Sendable, Hashable {
        package let boundNanoseconds: [Int64]

        /// - Precondition: the bounds rise.
        package init(microseconds: [Int64]) {
            precondition(zip(microseconds, microseconds.dropFirst()).allSatisfy(<), "the bounds of a scale rise")
            boundNanoseconds = microseconds.map { $0 * 1_000 }
        }

        /// From a millisecond to a minute: what people wait for.
        package static let requests = Scale(
            microseconds: [
                1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
                10_000_000, 30_000_000, 60_000_000,
            ])
        /// From a tenth of a millisecond to ten seconds: what a disk takes.
        package static let commits = Scale(
            microseconds: [
                100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 10_000_000,
            ])
    }
}
