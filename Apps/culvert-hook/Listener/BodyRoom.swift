import Synchronization

/// The bytes of bodies that are in memory before their events are stored, of all requests together: whoever has not been proven
/// yet can take no more than this.
final class BodyRoom: Sendable {
    private let taken = Mutex(0)

    fileprivate func take(_ byteCount: Int, upTo byteCountMax: Int) -> Bool {
        taken.withLock { taken in
            guard taken + byteCount <= byteCountMax else { return false }
            taken += byteCount
            return true
        }
    }

    fileprivate func giveBack(_ byteCount: Int) { taken.withLock { $0 -= byteCount } }
}

/// What one request has taken of the room; it is given back with this value.
final class BodyShare: Sendable {
    private let room: BodyRoom
    private let byteCountMax: Int
    private let taken = Mutex(0)

    /// - Parameter byteCountMax: what all requests together may take.
    init(of room: BodyRoom, byteCountMax: Int) {
        self.room = room
        self.byteCountMax = byteCountMax
    }

    /// False when there is no room for so many bytes more.
    func take(_ byteCount: Int) -> Bool {
        guard room.take(byteCount, upTo: byteCountMax) else { return false }
        taken.withLock { $0 += byteCount }
        return true
    }

    deinit { room.giveBack(taken.withLock { $0 }) }
}
