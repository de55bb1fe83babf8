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
    /// So much a reader must take before its window grows beyond `unprovenByteCountMax`. A reader that takes nothing at all
    /// seems to take what fits into the buffers on the way to it, which is less.
    static let provenByteCount = 512 * 1024
    static let farProvenByteCount = 320 * 1024
    /// On a long path each small window costs a round trip, so that the first one may grow to this size before its reader has
    /// proven itself: what a stalled reader may cost.
    static let unprovenByteCountMax = 256 * 1024
    private static let roundTripsPerWindowMax: Int64 = 3
    private static let roundTripsPerHalfMax: Int64 = 2
    private static let nearGrowth = 4
    private static let farGrowth = 16

    private(set) var byteCount: Int
    private let nearByteCountMax: Int
    private var takenByteCount = 0
    private var windowTakenByteCount = 0
    private var beganAt: Int64?

    init(byteCount: Int, nearByteCountMax: Int = ReceiveWindow.nearByteCountMax) {
        self.byteCount = byteCount
        self.nearByteCountMax = nearByteCountMax
    }

    /// So many consumed bytes are worth a WINDOW_UPDATE: half of a small window, because each wakes the sender; an eighth of a
    /// large one, because its sender is far away and must not come to the end of it before it hears that there is room again.
    var creditByteCount: Int { byteCount > nearByteCountMax ? byteCount / 8 : byteCount / 2 }

    /// Notes bytes that the reader has consumed; returns the size that the window should grow to, if it should.
    ///
    /// - Parameters:
    ///   - roundTrip: the shortest seen on the connection, in nanoseconds; 0 if none was.
    ///   - usual: what readers of the same connection have lately needed; a proven reader gets it at once.
    mutating func consumed(_ count: Int, atNanoseconds now: Int64, roundTrip: Int64, usual: Int = 0) -> Int? {
        let isFar = roundTrip >= ReceiveWindow.farRoundTrip
        let byteCountMax = isFar ? ReceiveWindow.byteCountMax : nearByteCountMax
        guard roundTrip > 0, byteCount < byteCountMax else { return nil }
        takenByteCount += count
        windowTakenByteCount += count
        guard let began = beganAt else {
            beganAt = now
            return nil
        }
        // On a long path half a window tells enough: the rest of it would arrive a round trip later.
        guard windowTakenByteCount >= (isFar ? byteCount / 2 : byteCount) else { return nil }
        windowTakenByteCount = 0
        beganAt = now
        let patience =
            isFar
            ? ReceiveWindow.roundTripsPerHalfMax * roundTrip
            : ReceiveWindow.roundTripsPerWindowMax * ReceiveWindow.farRoundTrip
        guard now - began <= patience else { return nil }
        guard takenByteCount >= (isFar ? ReceiveWindow.farProvenByteCount : ReceiveWindow.provenByteCount) else {
            return isFar && byteCount < ReceiveWindow.unprovenByteCountMax ? ReceiveWindow.unprovenByteCountMax : nil
        }
        return min(max((isFar ? ReceiveWindow.farGrowth : ReceiveWindow.nearGrowth) * byteCount, usual), byteCountMax)
    }

    mutating func grow(to byteCount: Int) { self.byteCount = byteCount }
}
