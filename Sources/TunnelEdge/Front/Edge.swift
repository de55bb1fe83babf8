package import HTTPTransport
internal import LinuxIO
package import TunnelDomain
package import TunnelService

/// The edge as a whole: one front per loop, and what the rest of the process says to all of them.
package final class Edge: Sendable {
    private let parts: EdgeParts
    private let directory: TunnelDirectory

    /// Makes a front on every loop of the directory.
    package init(_ parts: EdgeParts) async throws {
        self.parts = parts
        directory = parts.directory
        for door in directory.doors {
            try await door.run { loop in _ = EdgeFront(parts, on: loop) }
        }
    }

    /// Begins to accept on the socket, on every loop.
    package func listen(on descriptor: Int32, for purpose: ListenerPurpose) async throws {
        for door in directory.doors {
            try await door.run { loop in try EdgeFront.resident(of: loop)?.listen(on: descriptor, for: purpose) }
        }
    }

    /// Ends the data-plane connections that were opened with this key.
    package func keyRevoked(_ keyID: UUIDValue) async {
        await onEveryLoop { $0.keyRevoked(keyID) }
    }

    /// Accepts no more connections; the listening sockets can be closed afterwards.
    package func stopListening() async { await onEveryLoop { $0.stopListening() } }

    /// Lets everything finish that is under way, then sends the agents away; returns when both are done or time is up.
    package func drain(secondsMax: Int) async {
        await onEveryLoop { $0.drain() }
        await wait(secondsMax: secondsMax) { $0.isQuiet }
        await onEveryLoop { $0.dismissAgents() }
        await wait(secondsMax: 2) { $0.openConnectionCount == 0 }
    }

    private func wait(secondsMax: Int, until isDone: @escaping @Sendable (EdgeFront) -> Bool) async {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(secondsMax)
        while clock.now < end {
            var areAllDone = true
            for door in directory.doors {
                let isThisDone = try? await door.run { loop in EdgeFront.resident(of: loop).map(isDone) ?? true }
                areAllDone = areAllDone && (isThisDone ?? true)
            }
            if areAllDone { return }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func onEveryLoop(_ work: @escaping @Sendable (EdgeFront) -> Void) async {
        for door in directory.doors {
            _ = try? await door.run { loop in
                if let front = EdgeFront.resident(of: loop) { work(front) }
            }
        }
    }
}

/// Carries committed changes into the edge's memory and to the loops that they concern.
package struct EdgeEvents: TunnelEvents {
    private let directory: TunnelDirectory
    private let clock: any WallClock

    package init(directory: TunnelDirectory, clock: any WallClock) {
        self.directory = directory
        self.clock = clock
    }

    package func tunnelChanged(_ tunnel: Tunnel, _ change: TunnelChange) async {
        directory.put(tunnel, at: clock.now)
        _ = try? await directory.door(of: tunnel.id).run { loop in
            EdgeFront.resident(of: loop)?.tunnelChanged(tunnel)
        }
    }
}
