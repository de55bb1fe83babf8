// Who serves the tunnel: taking over, draining, losing, closing (data plane, section 8).

extension IntakePool {
    /// Takes an agent's hello: it serves from now on, and an earlier agent is superseded, unless both share the tunnel.
    ///
    /// Agents that all said that they share serve side by side, up to `sharingAgentsMax`; one that does not share takes over
    /// from all of them, and one that shares takes over from one that does not.
    ///
    /// What the earlier agent has and has not answered fails at once; what is still queued waits for the new one.
    /// More than `supersedesMax` takeovers within `supersedeWindow` mean that two agents evict each other: from then on
    /// challengers are refused for `supersedeHold`, after which counting begins anew. A second hello of the same agent
    /// only changes its pool size, and following a lost or draining agent is no takeover.
    ///
    /// - Parameter poolSize: The intakes that the agent will park; held within 1…`poolSizeMax`.
    public mutating func agentConnected(
        _ agent: UInt64, poolSize: Int, isShared: Bool = false, at time: MonotonicInstant, into actions: inout [Action]
    ) -> ConnectDecision {
        note(time)
        let server = Server(agent: agent, poolSize: min(max(poolSize, 1), limits.poolSizeMax))
        switch service {
        case .closed: return .refuseClosed
        case .offline, .handover: break
        case .serving(let areShared):
            if let index = servers.firstIndex(where: { $0.agent == agent }) {
                servers[index].poolSize = server.poolSize
                return .serve
            }
            if areShared, isShared { return join(server) }
            if let refusal = takeoverRefusal() { return refusal }
            takeovers.append(now)
            for earlier in servers { supersede(earlier.agent, into: &actions) }
        }
        draining.removeAll { $0 == agent }
        servers = [server]
        service = .serving(isShared: isShared)
        return .serve
    }

    private mutating func join(_ server: Server) -> ConnectDecision {
        guard servers.count < limits.sharingAgentsMax else { return .refuseTooManySharing }
        draining.removeAll { $0 == server.agent }
        servers.append(server)
        return .join
    }

    /// Nil when a challenger may take over.
    private mutating func takeoverRefusal() -> ConnectDecision? {
        if let hold = takeoverHold {
            if now < hold { return .refuseTooManyTakeovers(retryAfter: hold - now, isFirst: false) }
            takeoverHold = nil
            takeovers.removeAll(keepingCapacity: true)
        }
        let windowStart = now - limits.supersedeWindow
        takeovers.removeAll { $0 <= windowStart }
        guard takeovers.count >= limits.supersedesMax else { return nil }
        takeoverHold = now + limits.supersedeHold
        return .refuseTooManyTakeovers(retryAfter: limits.supersedeHold, isFirst: true)
    }

    private mutating func supersede(_ agent: UInt64, into actions: inout [Action]) {
        failHanded(of: agent, into: &actions)
        for intake in parked.removeAll(of: agent) {
            actions.append(.releaseIntake(intake: intake.id, reason: .superseded))
        }
        actions.append(.supersede(agent: agent))
    }

    /// Gives a connection no new work from now on; it keeps what it has, and its parked intakes stay open without a use.
    ///
    /// When nobody shares the tunnel with it, requests queue for the successor that is expected. Unknown agents are ignored.
    public mutating func agentDraining(_ agent: UInt64) {
        guard let index = servers.firstIndex(where: { $0.agent == agent }) else { return }
        servers.remove(at: index)
        if servers.isEmpty { service = .handover(from: agent) }
        draining.append(agent)
        for intake in parked.removeAll(of: agent) { held.insert(intake) }
    }

    /// Takes an agent's word that it leaves: it gets no new work, and its parked intakes are released as idle, so that it knows
    /// when nothing more can come. What it was given before it may still answer. Unknown agents are ignored.
    public mutating func agentLeaving(_ agent: UInt64, into actions: inout [Action]) {
        agentDraining(agent)
        for intake in held.removeAll(of: agent) { actions.append(.releaseIntake(intake: intake.id, reason: .idle)) }
    }

    /// Takes the end of an agent's connection: its intakes vanish, and what it has and has not answered fails.
    ///
    /// Requests that are still queued fail too when nobody is left to wait for: the last serving agent is lost, or the draining
    /// one before its successor came. Replies that have begun are the shell's to break off or to finish.
    public mutating func agentLost(_ agent: UInt64, at time: MonotonicInstant, into actions: inout [Action]) {
        note(time)
        failHanded(of: agent, into: &actions)
        _ = held.removeAll(of: agent)
        draining.removeAll { $0 == agent }
        _ = parked.removeAll(of: agent)
        let wasServing = servers.contains { $0.agent == agent }
        servers.removeAll { $0.agent == agent }
        guard servers.isEmpty, wasServing || service == .handover(from: agent) else { return }
        service = .offline
        failQueued(.agentDisconnected, into: &actions)
    }

    /// Says that an agent which another process has is about to come: requests queue for it as for a successor.
    ///
    /// It goes by a number that no agent has; ``agentLost(_:at:into:)`` with it ends the wait. Ignored when an agent is here.
    public mutating func agentExpected(as agent: UInt64) {
        guard service == .offline else { return }
        service = .handover(from: agent)
    }

    /// Takes the end of a draining agent's connection whose agent has gone to another process: its intakes vanish, and
    /// what it has may still be answered, until its deadline.
    public mutating func agentMoved(_ agent: UInt64, at time: MonotonicInstant) {
        note(time)
        _ = held.removeAll(of: agent)
        draining.removeAll { $0 == agent }
        if service == .handover(from: agent) { service = .offline }
    }

    /// Stops everything because the tunnel was deleted: what an agent has fails as disconnected, what is queued as
    /// inactive, and all intakes are released. The shell ends the agents' connections.
    public mutating func close(at time: MonotonicInstant, into actions: inout [Action]) {
        note(time)
        guard service != .closed else { return }
        service = .closed
        servers = []
        for request in requests.places(in: .handed) { fail(request, .agentDisconnected, into: &actions) }
        failQueued(.tunnelInactive, into: &actions)
        releaseParked(.closed, into: &actions)
        while let intake = held.removeFirst() { actions.append(.releaseIntake(intake: intake.id, reason: .closed)) }
        draining.removeAll()
    }

    /// Opens the pool of a restored tunnel again; an agent has to say hello anew. Ignored unless the pool is closed.
    public mutating func reopen() {
        guard service == .closed else { return }
        service = .offline
    }

    private mutating func failHanded(of agent: UInt64, into actions: inout [Action]) {
        for request in requests.places(in: .handed, where: { $0.agent == agent }) {
            fail(request, .agentDisconnected, into: &actions)
        }
    }

    private mutating func failQueued(_ reason: FailureReason, into actions: inout [Action]) {
        while let request = requests.first(in: .queued) { fail(request, reason, into: &actions) }
    }

    private mutating func releaseParked(_ reason: ReleaseReason, into actions: inout [Action]) {
        while let intake = parked.removeFirst() { actions.append(.releaseIntake(intake: intake.id, reason: reason)) }
    }
}
