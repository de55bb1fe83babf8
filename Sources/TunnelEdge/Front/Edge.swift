package import HTTPTransport
internal import LinuxIO
package import TunnelDomain
package import TunnelService

/// The edge as a whole: one front per loop, and what the rest of the process says to all of them.
package final class Edge: Sendable {
    let parts: EdgeParts
    let directory: TunnelDirectory

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

    /// Accepts no more connections; the listening sockets can be closed afterwards.
    package func stopListening() async { await onEveryLoop { $0.stopListening() } }

    /// Begins to let everything finish that is under way.
    package func drain() async { await onEveryLoop { $0.drain(silenceMax: .zero) } }

    /// Returns when everything has finished that was under way when draining or handing over began, and the agents are gone.
    ///
    /// - Parameters:
    ///   - secondsMax: What is not finished by then is broken off.
    ///   - webSocketSecondsMax: WebSockets are told to close after this.
    ///   - leavesAgents: The agents go by themselves; they are given a moment for it.
    package func finish(secondsMax: Int, webSocketSecondsMax: Int, leavesAgents: Bool) async {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(secondsMax)
        await wait(until: min(end, clock.now + .seconds(webSocketSecondsMax))) {
            $0.isQuiet && $0.webSocketCount == 0 && $0.carriedCount == 0
        }
        await onEveryLoop { $0.closeWebSockets() }
        // Of TLS that ends elsewhere nobody here can tell when it rests, and nobody can be told: with a successor it goes on as
        // long as it may.
        await wait(until: end) { $0.isQuiet && (!leavesAgents || $0.carriedCount == 0) }
        if leavesAgents { await wait(until: min(end, clock.now + Self.leavingMax)) { $0.agentCount == 0 } }
        await onEveryLoop { $0.dismissAgents() }
        await wait(secondsMax: 2) { $0.openConnectionCount == 0 }
    }

    /// How long agents that were told to go may take to close their connections.
    private static let leavingMax: Duration = .seconds(5)

    func wait(secondsMax: Int, until isDone: @escaping @Sendable (EdgeFront) -> Bool) async {
        await wait(until: ContinuousClock().now + .seconds(min(secondsMax, 1_000_000)), isDone)
    }

    private func wait(until end: ContinuousClock.Instant, _ isDone: @escaping @Sendable (EdgeFront) -> Bool) async {
        let clock = ContinuousClock()
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

    func onEveryLoop(_ work: @escaping @Sendable (EdgeFront) -> Void) async {
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

    package func keyEnded(_ id: UUIDValue) async {
        directory.keyEnded()
        for door in directory.doors {
            _ = try? await door.run { loop in EdgeFront.resident(of: loop)?.keyRevoked(id) }
        }
    }
}
