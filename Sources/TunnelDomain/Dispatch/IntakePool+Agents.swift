// Who serves the tunnel: taking over, draining, losing, closing (data plane, section 8).

extension IntakePool {
    /// Takes an agent's hello: it serves from now on, and an earlier agent is superseded.
    ///
    /// What the earlier agent has and has not answered fails at once; what is still queued waits for the new one.
    /// More than `supersedesMax` takeovers within `supersedeWindow` mean that two agents evict each other: from then on
    /// challengers are refused for `supersedeHold`, after which counting begins anew. A second hello of the same agent
    /// only changes its pool size, and following a lost or draining agent is no takeover.
    ///
    /// - Parameter poolSize: The intakes that the agent will park; held within 1…`poolSizeMax`.
    public mutating func agentConnected(
        _ agent: UInt64, poolSize: Int, at time: MonotonicInstant, into actions: inout [Action]
    ) -> ConnectDecision {
        note(time)
        switch service {
        case .closed: return .refuseClosed
        case .offline, .handover: break
        case .serving(agent, _): break
        case .serving(let earlier, _):
            if let retryAfter = takeoverRefusal() { return .refuseTooManyTakeovers(retryAfter: retryAfter) }
            takeovers.append(now)
            supersede(earlier, into: &actions)
        }
        draining.removeAll { $0 == agent }
        service = .serving(agent: agent, poolSize: min(max(poolSize, 1), limits.poolSizeMax))
        return .serve
    }

    /// How long a challenger has to wait, or nil when it may take over.
    private mutating func takeoverRefusal() -> Duration? {
        if let hold = takeoverHold {
            if now < hold { return hold - now }
            takeoverHold = nil
            takeovers.removeAll(keepingCapacity: true)
        }
        let windowStart = now - limits.supersedeWindow
        takeovers.removeAll { $0 <= windowStart }
        guard takeovers.count >= limits.supersedesMax else { return nil }
        takeoverHold = now + limits.supersedeHold
        return limits.supersedeHold
    }

    private mutating func supersede(_ agent: UInt64, into actions: inout [Action]) {
        failHanded(of: agent, into: &actions)
        releaseParked(.superseded, into: &actions)
        actions.append(.supersede(agent: agent))
    }

    /// Gives a connection no new work from now on; it keeps what it has, and its parked intakes stay open without a use.
    ///
    /// When it was the serving one, requests queue for the successor that is expected. Unknown agents are ignored.
    public mutating func agentDraining(_ agent: UInt64) {
        guard servingAgent == agent else { return }
        service = .handover(from: agent)
        draining.append(agent)
        while let intake = parked.removeFirst() { held.insert(intake) }
    }

    /// Takes the end of an agent's connection: its intakes vanish, and what it has and has not answered fails.
    ///
    /// Requests that are still queued fail too when nobody is left to wait for: the serving agent is lost, or the draining
    /// one before its successor came. Replies that have begun are the shell's to break off or to finish.
    public mutating func agentLost(_ agent: UInt64, at time: MonotonicInstant, into actions: inout [Action]) {
        note(time)
        failHanded(of: agent, into: &actions)
        _ = held.removeAll(of: agent)
        draining.removeAll { $0 == agent }
        switch service {
        case .serving(agent, _), .handover(from: agent):
            service = .offline
            parked.removeAll()
            failQueued(.agentDisconnected, into: &actions)
        case .offline, .serving, .handover, .closed:
            break
        }
    }

    /// Stops everything because the tunnel was deleted: what an agent has fails as disconnected, what is queued as
    /// inactive, and all intakes are released. The shell ends the agents' connections.
    public mutating func close(at time: MonotonicInstant, into actions: inout [Action]) {
        note(time)
        guard service != .closed else { return }
        service = .closed
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
