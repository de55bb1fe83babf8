internal import Synchronization

/// Counts that all loops share.
package final class EdgeCounters: Sendable {
    private let connections = Atomic<Int>(0)

    package var connectionCount: Int { connections.load(ordering: .relaxed) }

    func admitConnection(max: Int) -> Bool {
        guard connections.add(1, ordering: .relaxed).newValue <= max else {
            connections.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    func releaseConnection() { connections.subtract(1, ordering: .relaxed) }
}
