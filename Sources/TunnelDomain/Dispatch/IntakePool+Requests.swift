// The hot path: a request meets an intake, and its reply comes back.

extension IntakePool {
    /// Takes a third party's request: to the longest-parked intake, or into the queue, or refused.
    public mutating func requestArrived(_ request: UInt64, at time: MonotonicInstant) -> ArrivalDecision {
        note(time)
        switch service {
        case .offline: return .refuse(.agentOffline)
        case .closed: return .refuse(.tunnelInactive)
        case .serving(let agent, _):
            guard let intake = parked.removeFirst() else { return enqueue(request) }
            requests.insert(
                request, in: .handed, agent: agent, arrivedAt: now, deadline: later(by: responseDeadlineNanoseconds))
            return .hand(intake: intake.id)
        case .handover: return enqueue(request)
        }
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
        switch service {
        case .closed: return .closed
        case .serving(agent, let poolSize):
            if let request = requests.first(in: .queued) {
                requests.move(request, to: .handed, agent: agent, deadline: later(by: responseDeadlineNanoseconds))
                return .hand(request: requests[request].id)
            }
            guard parked.count < poolSize else { return .overPoolSize }
            parked.insert(place)
            return .hold
        case .offline, .serving, .handover:
            guard draining.contains(agent) else { return .superseded }
            guard held.count < limits.poolSizeMax else { return .overPoolSize }
            held.insert(place)
            return .hold
        }
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
        case .serving(let agent, _):
            if let intake = parked.removeFirst() {
                requests.move(place, to: .handed, agent: agent, deadline: later(by: responseDeadlineNanoseconds))
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
