// The hot path: a request meets an intake, and its reply comes back.

extension IntakePool {
    /// Takes a third party's request: to an intake, or into the queue, or refused.
    ///
    /// Among agents that share the tunnel, the one with most free intakes gets it, and of several such the one whose last
    /// request is longest ago; of its intakes, the longest-parked one.
    public mutating func requestArrived(_ request: UInt64, at time: MonotonicInstant) -> ArrivalDecision {
        note(time)
        switch service {
        case .offline: return .refuse(.agentOffline)
        case .closed: return .refuse(.tunnelInactive)
        case .serving, .handover: break
        }
        guard pace.take(at: now) else { return .refuse(.tooManyRequests) }
        guard let intake = takeIntake() else { return enqueue(request) }
        requests.insert(
            request, in: .handed, agent: intake.agent, arrivedAt: now, deadline: later(by: responseDeadlineNanoseconds))
        return .hand(intake: intake.id)
    }

    /// Takes out the intake that the next request goes to, or nil when none is parked.
    private mutating func takeIntake() -> ParkedIntakes.Intake? {
        guard let first = parked.first, let server = servers.count == 1 ? 0 : freestServer else { return nil }
        noteHand(to: server)
        return first.agent == servers[server].agent ? parked.removeFirst() : parked.removeFirst(of: servers[server].agent)
    }

    private var freestServer: Int? {
        var best: (index: Int, count: Int)?
        for index in servers.indices {
            let count = parked.count(of: servers[index].agent)
            guard count > 0 else { continue }
            guard let known = best else {
                best = (index, count)
                continue
            }
            let isLonger = servers[index].lastHand < servers[known.index].lastHand
            if count > known.count || count == known.count && isLonger { best = (index, count) }
        }
        return best?.index
    }

    private mutating func noteHand(to server: Int) {
        handCount += 1
        servers[server].lastHand = handCount
    }

    private mutating func enqueue(_ request: UInt64) -> ArrivalDecision {
        guard queuedCount < limits.queueMax else { return .refuse(.agentBusy) }
        requests.insert(request, in: .queued, agent: 0, arrivedAt: now, deadline: later(by: queueWaitNanoseconds))
        return .queued
    }

    /// Takes an intake that an agent has opened: it gets the request that has waited longest, or is parked.
    public mutating func intakeParked(
        _ intake: UInt64, by agent: UInt64, at time: MonotonicInstant
    ) -> ParkDecision {
        note(time)
        let place = ParkedIntakes.Intake(id: intake, agent: agent, idleDeadline: later(by: intakeIdleNanoseconds))
        guard service != .closed else { return .closed }
        guard let server = servers.firstIndex(where: { $0.agent == agent }) else {
            guard draining.contains(agent) else { return .superseded }
            guard held.count(of: agent) < limits.poolSizeMax else { return .overPoolSize }
            held.insert(place)
            return .hold
        }
        if let request = requests.first(in: .queued) {
            noteHand(to: server)
            requests.move(request, to: .handed, agent: agent, deadline: later(by: responseDeadlineNanoseconds))
            return .hand(request: requests[request].id)
        }
        guard parked.count(of: agent) < servers[server].poolSize else { return .overPoolSize }
        parked.insert(place)
        return .hold
    }

    /// Forgets a parked intake whose stream has ended; one that was given a request is no longer known.
    public mutating func intakeLost(_ intake: UInt64) {
        parked.remove(intake)
        held.remove(intake)
    }

    /// Takes back a request that could not be sent: its intake's stream had ended before a byte of it left.
    ///
    /// It goes to the next parked intake, or to its old place in the queue, or fails when it has waited too long already.
    public mutating func handFailed(_ request: UInt64, at time: MonotonicInstant, into actions: inout [Action]) {
        note(time)
        guard let place = requests.place(of: request), requests[place].phase == .handed else { return }
        switch service {
        case .offline: fail(place, .agentDisconnected, into: &actions)
        case .closed: fail(place, .tunnelInactive, into: &actions)
        case .serving:
            if let intake = takeIntake() {
                requests.move(place, to: .handed, agent: intake.agent, deadline: later(by: responseDeadlineNanoseconds))
                actions.append(.hand(request: request, intake: intake.id))
            } else {
                requeue(place, into: &actions)
            }
        case .handover: requeue(place, into: &actions)
        }
    }

    private mutating func requeue(_ request: RequestLedger.Place, into actions: inout [Action]) {
        let arrival = requests[request].arrivedAt.nanoseconds
        let deadline = MonotonicInstant(nanoseconds: arrival.saturatingAdded(queueWaitNanoseconds))
        guard now < deadline, queuedCount < limits.queueMax else { return fail(request, .agentBusy, into: &actions) }
        requests.move(request, to: .queued, agent: 0, deadline: deadline)
    }
}

// MARK: - Replies and endings

extension IntakePool {
    /// Takes the head of a reply, on whatever connection of the tunnel it came.
    public mutating func replyArrived(_ request: UInt64, at time: MonotonicInstant) -> ReplyDecision {
        note(time)
        guard let place = requests.place(of: request) else { return .unknown }
        let entry = requests[place]
        switch entry.phase {
        case .queued: return .unknown
        case .handed:
            // The timer may be late; the deadline is not. The failure follows with the next `advance`.
            guard now < entry.deadline else { return .gone }
            requests.move(place, to: .answering, agent: entry.agent, deadline: now)
            return .accept
        case .answering: return .alreadyAnswered
        case .answered: return entry.deadline > now ? .alreadyAnswered : .unknown
        case .gone: return entry.deadline > now ? .gone : .unknown
        }
    }

    /// Ends a request whose reply has passed through, or broke off after its head; ignored in any other phase.
    public mutating func replyFinished(_ request: UInt64) {
        guard let place = requests.place(of: request), requests[place].phase == .answering else { return }
        remember(place, as: .answered)
    }

    /// Ends a request whose third party went away, wherever it is; the shell aborts the work at the agent.
    public mutating func requestAbandoned(_ request: UInt64) {
        guard let place = requests.place(of: request) else { return }
        forget(place)
    }
}
