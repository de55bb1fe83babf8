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
        var keyEndingCount = 0
        /// Tunnels whose agents are on their way here from another process.
        var expectedAgents: Set<TunnelID> = []
        var statusCounts: [TunnelStatus: Int] = [:]
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

    /// The tunnels that hold their name, by their recorded status: one whose grace has passed counts until it is swept.
    var counts: [(TunnelStatus, Int)] {
        let counts = shelf.withLock { $0.statusCounts }
        return TunnelStatus.allCases.filter { $0 != .deleted }.map { ($0, counts[$0] ?? 0) }
    }

    /// Takes the record as it is now in the store.
    package func put(_ tunnel: Tunnel, at now: Timestamp) {
        shelf.withLock { shelf in
            if let earlier = shelf.byID[tunnel.id] {
                if shelf.idByName[earlier.name] == tunnel.id { shelf.idByName[earlier.name] = nil }
                shelf.statusCounts[earlier.recordedStatus, default: 0] -= 1
            }
            if tunnel.holdsName(at: now) {
                shelf.byID[tunnel.id] = tunnel
                shelf.statusCounts[tunnel.recordedStatus, default: 0] += 1
                shelf.idByName[tunnel.name] = tunnel.id
            } else {
                shelf.byID[tunnel.id] = nil
            }
        }
    }

    /// How many keys have ended since the start. A hello that was judged before a key ended is judged again.
    var keyEndingCount: Int { shelf.withLock { $0.keyEndingCount } }

    /// Says that some key counts no more; before the loops end its connections.
    func keyEnded() { shelf.withLock { $0.keyEndingCount += 1 } }

    func agentJoined(_ id: TunnelID) {
        shelf.withLock { shelf in
            shelf.connectedAgents[id, default: 0] += 1
            shelf.expectedAgents.remove(id)
        }
    }

    /// The tunnels that have an agent.
    package var connectedTunnels: [TunnelID] { shelf.withLock { Array($0.connectedAgents.keys) } }

    /// Says that the agents of these tunnels are about to come.
    package func expectAgents(of ids: [TunnelID]) { shelf.withLock { $0.expectedAgents.formUnion(ids) } }

    /// The tunnels whose agents have not come yet.
    package var expectedTunnels: [TunnelID] { shelf.withLock { Array($0.expectedAgents) } }

    func expectsAgent(of id: TunnelID) -> Bool { shelf.withLock { $0.expectedAgents.contains(id) } }

    /// Gives up waiting for a tunnel's agent; false when it has come.
    func expectNoAgent(of id: TunnelID) -> Bool { shelf.withLock { $0.expectedAgents.remove(id) != nil } }

    /// The agents that are here.
    func agentCount(of id: TunnelID) -> Int { shelf.withLock { $0.connectedAgents[id] ?? 0 } }

    func agentLeft(_ id: TunnelID) {
        shelf.withLock { shelf in
            let left = (shelf.connectedAgents[id] ?? 1) - 1
            shelf.connectedAgents[id] = left > 0 ? left : nil
        }
    }
}

extension TunnelDirectory: ConnectionPresence {
    package func isConnected(_ id: TunnelID) -> Bool { connectedAgentCount(of: id) > 0 }

    /// A tunnel whose agents are on their way here counts as having one.
    package func connectedAgentCount(of id: TunnelID) -> Int {
        shelf.withLock { $0.connectedAgents[id] ?? ($0.expectedAgents.contains(id) ? 1 : 0) }
    }
}

extension Tunnel {
    /// The status without the time: no deadline had passed when the tunnel was made.
    fileprivate var recordedStatus: TunnelStatus { status(at: createdAt) }
}
