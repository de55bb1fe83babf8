/// How large a stream's receive window should be: as large as a fast reader needs on a long path, and no larger.
///
/// A window limits a stream to one window per round trip. A reader that empties a whole window in little more than a round
/// trip is held back by it, so the window doubles; a reader that stalls empties none, so its stays small.
struct ReceiveWindow {
    static let byteCountMax = 16 * 1024 * 1024
    /// Below this round trip, in nanoseconds, the first window is enough for any reader.
    static let roundTripMin: Int64 = 2_000_000
    private static let roundTripsPerWindowMax: Int64 = 3

    private(set) var byteCount: Int
    private var consumedByteCount = 0
    private var beganAt: Int64?

    init(byteCount: Int) { self.byteCount = byteCount }

    /// Notes bytes that the reader has consumed; returns the new size when the window should grow.
    mutating func consumed(_ count: Int, atNanoseconds now: Int64, roundTrip: Int64) -> Int? {
        guard roundTrip >= ReceiveWindow.roundTripMin, byteCount < ReceiveWindow.byteCountMax else { return nil }
        guard let began = beganAt else {
            beganAt = now
            return nil
        }
        consumedByteCount += count
        guard consumedByteCount >= byteCount else { return nil }
        consumedByteCount = 0
        beganAt = now
        guard now - began <= ReceiveWindow.roundTripsPerWindowMax * roundTrip else { return nil }
        byteCount = min(2 * byteCount, ReceiveWindow.byteCountMax)
        return byteCount
    }
}
