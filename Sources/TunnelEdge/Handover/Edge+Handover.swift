internal import HTTPTransport
package import LinuxIO
package import TunnelDomain
internal import TunnelService
package import TunnelWire

// The hand-over as the rest of the process steers it: first the steps of the process that leaves, then those of its successor.
extension Edge {
    /// Lets no call of the API and no record of an agent through to the store; returns when none is under way any more.
    package func bringStoreToRest() async {
        await onEveryLoop { $0.storeGate.hold() }
        await wait(secondsMax: .max) { $0.storeGate.isAtRest }
    }

    /// The tunnels whose agents are here.
    package var connectedTunnels: [TunnelID] { directory.connectedTunnels }

    /// Leaves new connections in the kernel's queue.
    package func stopAccepting() async { await onEveryLoop { $0.stopAccepting() } }

    /// Goes on as before: no successor has come.
    package func resume() async {
        await onEveryLoop { front in
            front.resumeAccepting()
            front.storeGate.open()
        }
    }

    /// Sends new work to the successor from now on, and tells the agents to go there.
    package func handOver(to successor: Neighbor) async {
        let silenceMax = parts.settings.silenceMax
        await onEveryLoop { $0.handOver(to: successor, silenceMax: silenceMax) }
    }

    /// Takes a connection that the neighbor has sent, for what its message says.
    package func accept(link descriptor: consuming FileDescriptor, for message: HandoverMessage) {
        let number = descriptor.release()
        let door: EventLoop =
            switch message {
            case .requests(let host): self.door(forHost: host)
            case .replies(let loop): directory.doors[loop % directory.doors.count]
            case .ask, .refuse, .serving, .give, .served, .left: directory.doors[0]
            }
        door.execute { loop in
            let descriptor = FileDescriptor(number: number)
            EdgeFront.resident(of: loop)?.open(link: descriptor)
        }
    }

    private func door(forHost host: String) -> EventLoop {
        guard case .tunnel(let name) = HostRole(of: host, in: parts.settings.zone),
            let tunnel = directory.tunnel(named: name)
        else { return directory.doors[0] }
        return directory.door(of: tunnel.id)
    }

    /// Sends replies to the requests of the process before this one there, and waits for the agents that it has.
    package func follow(_ predecessor: Neighbor, agentsOf tunnels: [TunnelID]) async {
        directory.expectAgents(of: tunnels)
        await onEveryLoop { $0.predecessor = NeighborLinks(predecessor, on: $0.loop) }
    }

    /// An agent has left the process before this one: it comes here soon, or not at all.
    package func agentLeftPredecessor(_ id: TunnelID) {
        let (registry, log) = (parts.registry, parts.log)
        let agentReturnMax = parts.settings.agentReturnMax
        directory.door(of: id).execute { loop in
            loop.schedule(after: agentReturnMax) {
                guard EdgeFront.resident(of: loop)?.expectNoAgent(of: id) == true else { return }
                Task { await registry.noteDisconnected(id, log) }
            }
        }
    }

    /// The process before this one has ended: whoever has not come does so now or not at all.
    package func predecessorEnded() async {
        await onEveryLoop { $0.predecessor = nil }
        for id in directory.expectedTunnels { agentLeftPredecessor(id) }
    }
}
