/// How large a stream's receive window should be: as large as a fast reader needs, and no larger.
///
/// A window limits a stream to one window per round trip, and wakes the sender for every half of one. A reader that empties
/// a whole window in little more than a round trip is held back by it, so the window grows; a reader that stalls empties
/// none, so its window stays small.
struct ReceiveWindow {
    /// The largest window on a long path.
    static let byteCountMax = 16 * 1024 * 1024
    /// The largest on a short one, where a larger one would bring no more.
    static let nearByteCountMax = 1024 * 1024
    /// From this round trip on, in nanoseconds, a path is long.
    static let farRoundTrip: Int64 = 2_000_000
    /// So much a reader must take before its window grows. A reader that takes nothing at all seems to take what fits into
    /// the buffers on the way to it, which is less.
    static let provenByteCount = 512 * 1024
    private static let roundTripsPerWindowMax: Int64 = 3
    private static let growth = 4

    private(set) var byteCount: Int
    private let nearByteCountMax: Int
    private var takenByteCount = 0
    private var windowTakenByteCount = 0
    private var beganAt: Int64?

    init(byteCount: Int, nearByteCountMax: Int = ReceiveWindow.nearByteCountMax) {
        self.byteCount = byteCount
        self.nearByteCountMax = nearByteCountMax
    }

    /// Notes bytes that the reader has consumed; returns the size that the window should grow to, if it should.
    ///
    /// - Parameters:
    ///   - roundTrip: the shortest seen on the connection, in nanoseconds; 0 if none was.
    ///   - usual: what readers of the same connection have lately needed; a proven reader gets it at once.
    mutating func consumed(_ count: Int, atNanoseconds now: Int64, roundTrip: Int64, usual: Int = 0) -> Int? {
        let byteCountMax = roundTrip < ReceiveWindow.farRoundTrip ? nearByteCountMax : ReceiveWindow.byteCountMax
        guard roundTrip > 0, byteCount < byteCountMax else { return nil }
        takenByteCount += count
        windowTakenByteCount += count
        guard let began = beganAt else {
            beganAt = now
            return nil
        }
        guard windowTakenByteCount >= byteCount else { return nil }
        windowTakenByteCount = 0
        beganAt = now
        let patience = ReceiveWindow.roundTripsPerWindowMax * max(roundTrip, ReceiveWindow.farRoundTrip)
        guard takenByteCount >= ReceiveWindow.provenByteCount, now - began <= patience else { return nil }
        return min(max(ReceiveWindow.growth * byteCount, usual), byteCountMax)
    }

    mutating func grow(to byteCount: Int) { self.byteCount = byteCount }
}
