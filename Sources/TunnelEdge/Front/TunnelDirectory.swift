package import LinuxIO
internal import Synchronization
package import TunnelDomain
internal import TunnelService

/// Which tunnels there are, which loop each lives on, and which have an agent: the edge's memory, shared by all loops.
///
/// The store is the truth; every committed change arrives here before it is acknowledged.
package final class TunnelDirectory: Sendable {
    private struct Shelf {
        var byID: [TunnelID: Tunnel] = [:]
        var idByName: [TunnelName: TunnelID] = [:]
        var connectedAgents: [TunnelID: Int] = [:]
    }

    private let shelf = Mutex(Shelf())
    package let doors: [EventLoop]

    /// - Parameter doors: the loops that tunnels are spread over; at least one.
    package init(doors: [EventLoop]) {
        precondition(!doors.isEmpty, "a tunnel must live on some loop")
        self.doors = doors
    }

    /// The loop that the tunnel lives on, for as long as the process does.
    package func door(of id: TunnelID) -> EventLoop {
        var hasher = Hasher()
        hasher.combine(id)
        return doors[Int(UInt(bitPattern: hasher.finalize()) % UInt(doors.count))]
    }

    package func tunnel(_ id: TunnelID) -> Tunnel? { shelf.withLock { $0.byID[id] } }

    package func tunnel(named name: TunnelName) -> Tunnel? {
        shelf.withLock { shelf in shelf.idByName[name].flatMap { shelf.byID[$0] } }
    }

    package var connectedAgentCount: Int { shelf.withLock { $0.connectedAgents.count } }

    /// Takes the record as it is now in the store.
    package func put(_ tunnel: Tunnel, at now: Timestamp) {
        shelf.withLock { shelf in
            if let earlier = shelf.byID[tunnel.id], shelf.idByName[earlier.name] == tunnel.id {
                shelf.idByName[earlier.name] = nil
            }
            if tunnel.holdsName(at: now) {
                shelf.byID[tunnel.id] = tunnel
                shelf.idByName[tunnel.name] = tunnel.id
            } else {
                shelf.byID[tunnel.id] = nil
            }
        }
    }

    func agentJoined(_ id: TunnelID) { shelf.withLock { $0.connectedAgents[id, default: 0] += 1 } }

    func agentCount(of id: TunnelID) -> Int { shelf.withLock { $0.connectedAgents[id] ?? 0 } }

    func agentLeft(_ id: TunnelID) {
        shelf.withLock { shelf in
            let left = (shelf.connectedAgents[id] ?? 1) - 1
            shelf.connectedAgents[id] = left > 0 ? left : nil
        }
    }
}

extension TunnelDirectory: ConnectionPresence {
    package func isConnected(_ id: TunnelID) -> Bool { shelf.withLock { $0.connectedAgents[id] != nil } }
}
