/// How far away a connection's peer is, by the shortest of the round trips that were measured.
///
/// A peer that is busy for a moment looks far away, and would be given large windows: a path counts as long only when several
/// measurements agree.
struct RoundTrip {
    /// So often a round trip is measured before the path counts as long, where the peer may be asked as often.
    static let farCountMin = 4

    private let farCountMin: Int
    /// Nanoseconds; 0 until one was measured.
    private(set) var shortest: Int64 = 0
    private var count = 0

    /// - Parameter asks: whether PINGs may be sent; servers of gRPC end connections that send many.
    init(asks: Bool) { farCountMin = asks ? RoundTrip.farCountMin : 1 }

    /// What windows are sized by, in nanoseconds; just short of a long path's while that is not certain, 0 while nothing is
    /// known.
    var certain: Int64 { needsMore ? ReceiveWindow.farRoundTrip - 1 : shortest }
    /// Whether another measurement might show that the path is short after all.
    var needsMore: Bool { shortest >= ReceiveWindow.farRoundTrip && count < farCountMin }

    mutating func measured(_ nanoseconds: Int64) {
        let time = max(1, nanoseconds)
        shortest = shortest == 0 ? time : min(shortest, time)
        count += 1
    }
}
