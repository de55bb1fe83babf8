import TestSupport
import TunnelDomain

/// A pool and its naive twin, driven by the same random events and compared after each.
struct PoolRun {
    var pool: IntakePool
    var naive: NaivePool
    var agents: [UInt64] = []
    var intakes: [UInt64] = []
    var requests: [UInt64] = []
    /// The requests that have arrived and not ended, as a third party would count them.
    var open: Set<UInt64> = []
    /// The intakes that are parked, as an agent would count them.
    var waiting: Set<UInt64> = []
    private var lastID: UInt64 = 0
    /// Whether most agents of this run share the tunnel.
    var prefersSharing = false

    /// Bounds so small that random runs meet every one of them.
    static var tightLimits: IntakePool.Limits {
        var limits = IntakePool.Limits()
        limits.queueMax = 3
        limits.requestsPerSecondMax = 5
        limits.poolSizeMax = 3
        limits.supersedesMax = 2
        limits.sharingAgentsMax = 3
        limits.goneMemoryMax = 4
        limits.answeredMemoryMax = 2
        return limits
    }

    init(limits: IntakePool.Limits = tightLimits) {
        pool = IntakePool(limits: limits)
        naive = NaivePool(limits: limits)
    }

    var now: MonotonicInstant { naive.now }

    private mutating func newID() -> UInt64 {
        lastID += 1
        return lastID
    }
}

// MARK: - One event

extension PoolRun {
    /// Lets something random happen to both, and compares what they say.
    mutating func step(_ sample: inout Sample) throws {
        naive.now = naive.now + sample.pause(until: pool.nextDeadline, from: now)
        switch sample.int(in: 0...19) {
        case 0...4: try arrive(&sample)
        case 5...9: try park(&sample)
        case 10, 11: try reply(&sample)
        case 12: try finish(&sample)
        case 13: try abandon(&sample)
        case 14: try handFailed(&sample)
        case 15: try connect(&sample)
        case 16: try advance(&sample)
        case 17: try loseIntake(&sample)
        case 18: try sample.bool() ? drainOrLeave(&sample) : loseAgent(&sample)
        default: try closeOrReopen(&sample)
        }
        try compare(sample)
    }

    private mutating func arrive(_ sample: inout Sample) throws {
        let id = newID()
        let decision = pool.requestArrived(id, at: now)
        sample.note("\(now.nanoseconds) request \(id) arrives: \(decision)")
        try sample.check(decision, is: naive.arrive(id), "the decision")
        requests.append(id)
        switch decision {
        case .hand(let intake):
            open.insert(id)
            try use(intake, sample)
        case .queued: open.insert(id)
        case .refuse: break
        }
    }

    private mutating func park(_ sample: inout Sample) throws {
        let id = newID()
        let agent = sample.known(agents)
        let decision = pool.intakeParked(id, by: agent, at: now)
        sample.note("\(now.nanoseconds) agent \(agent) parks \(id): \(decision)")
        try sample.check(decision, is: naive.park(id, by: agent), "the decision")
        intakes.append(id)
        switch decision {
        case .hand(let request): try sample.check(open.contains(request), "\(request) has ended already")
        case .hold: waiting.insert(id)
        case .superseded, .overPoolSize, .closed: break
        }
    }

    private mutating func reply(_ sample: inout Sample) throws {
        let id = sample.known(requests)
        let decision = pool.replyArrived(id, at: now)
        sample.note("\(now.nanoseconds) reply to \(id): \(decision)")
        try sample.check(decision, is: naive.reply(id), "the decision")
        try sample.check(decision != .accept || open.contains(id), "a reply to a request that has ended")
    }

    private mutating func finish(_ sample: inout Sample) throws {
        let id = sample.known(requests)
        sample.note("\(now.nanoseconds) reply to \(id) finishes")
        if let request = naive.request(id), case .answering = request.stage { open.remove(id) }
        pool.replyFinished(id)
        naive.finish(id)
    }

    private mutating func abandon(_ sample: inout Sample) throws {
        let id = sample.known(requests)
        sample.note("\(now.nanoseconds) request \(id) is abandoned")
        open.remove(id)
        pool.requestAbandoned(id)
        naive.abandon(id)
    }

    private mutating func handFailed(_ sample: inout Sample) throws {
        let id = sample.known(requests)
        var actions: [IntakePool.Action] = []
        pool.handFailed(id, at: now, into: &actions)
        sample.note("\(now.nanoseconds) request \(id) could not be sent: \(actions)")
        try take(actions, expected: naive.handFailed(id), sample)
    }

    private mutating func connect(_ sample: inout Sample) throws {
        let agent = sample.chance(oneIn: 4) ? sample.known(agents) : newID()
        let poolSize = sample.int(in: 0...4)
        var actions: [IntakePool.Action] = []
        let isShared = sample.chance(oneIn: 3) != prefersSharing
        let decision = pool.agentConnected(agent, poolSize: poolSize, isShared: isShared, at: now, into: &actions)
        sample.note("\(now.nanoseconds) agent \(agent) connects with \(poolSize), shared \(isShared): \(decision) \(actions)")
        let expected = naive.connect(agent, poolSize: poolSize, isShared: isShared)
        try sample.check(decision, is: expected.0, "the decision")
        agents.append(agent)
        try take(actions, expected: expected.1, sample)
    }

    private mutating func drainOrLeave(_ sample: inout Sample) throws {
        let agent = sample.known(agents)
        guard sample.bool() else {
            var actions: [IntakePool.Action] = []
            pool.agentLeaving(agent, into: &actions)
            sample.note("\(now.nanoseconds) agent \(agent) leaves: \(actions)")
            return try take(actions, expected: naive.leave(agent), sample)
        }
        sample.note("\(now.nanoseconds) agent \(agent) drains")
        pool.agentDraining(agent)
        naive.drain(agent)
    }

    private mutating func loseAgent(_ sample: inout Sample) throws {
        let agent = sample.known(agents)
        try loseAgent(agent, &sample)
    }

    mutating func loseAgent(_ agent: UInt64, _ sample: inout Sample) throws {
        for intake in naive.parked + naive.held where intake.agent == agent { waiting.remove(intake.id) }
        var actions: [IntakePool.Action] = []
        pool.agentLost(agent, at: now, into: &actions)
        sample.note("\(now.nanoseconds) agent \(agent) is lost: \(actions)")
        try take(actions, expected: naive.loseAgent(agent), sample)
    }

    private mutating func loseIntake(_ sample: inout Sample) throws {
        let id = sample.known(intakes)
        sample.note("\(now.nanoseconds) intake \(id) is lost")
        waiting.remove(id)
        pool.intakeLost(id)
        naive.loseIntake(id)
    }

    private mutating func closeOrReopen(_ sample: inout Sample) throws {
        if pool.isClosed {
            sample.note("\(now.nanoseconds) reopened")
            pool.reopen()
            naive.reopen()
        } else if sample.chance(oneIn: 3) {
            try close(&sample)
        }
    }

    mutating func close(_ sample: inout Sample) throws {
        var actions: [IntakePool.Action] = []
        pool.close(at: now, into: &actions)
        sample.note("\(now.nanoseconds) closed: \(actions)")
        try take(actions, expected: naive.close(), sample)
    }

    mutating func advance(_ sample: inout Sample) throws {
        var actions: [IntakePool.Action] = []
        pool.advance(to: now, into: &actions)
        sample.note("\(now.nanoseconds) time passes: \(actions)")
        try take(actions, expected: naive.advance(), sample)
    }
}

// MARK: - Comparing

extension PoolRun {
    /// Does what the actions say, and checks that each makes sense to whoever it concerns.
    private mutating func take(
        _ actions: [IntakePool.Action], expected: [IntakePool.Action], _ sample: Sample
    ) throws {
        try sample.check(actions, is: expected, "what is to do")
        for action in actions {
            switch action {
            case .supersede(let agent): try sample.check(agents.contains(agent), "an unknown agent is superseded")
            case .releaseIntake(let intake, _): try use(intake, sample)
            case .failRequest(let request, _):
                try sample.check(open.remove(request) != nil, "request \(request) ends a second time")
            case .hand(let request, let intake):
                try sample.check(open.contains(request), "\(request) has ended already")
                try use(intake, sample)
            }
        }
    }

    private mutating func use(_ intake: UInt64, _ sample: Sample) throws {
        try sample.check(waiting.remove(intake) != nil, "intake \(intake) is not parked")
    }

    private func compare(_ sample: Sample) throws {
        try sample.check(pool.nextDeadline, is: naive.nextDeadline, "the next deadline")
        try sample.check(pool.servingAgents, is: naive.serving.map(\.agent), "the serving agents")
        try sample.check(pool.servingAgents.count <= pool.limits.sharingAgentsMax, "too many agents share")
        try sample.check(pool.queuedCount, is: naive.queued.count, "the number of queued requests")
        try sample.check(pool.parkedCount, is: naive.parked.count, "the number of parked intakes")
        try sample.check(pool.queuedCount + pool.inFlightCount, is: open.count, "the number of open requests")
        try sample.check(waiting.count, is: naive.parked.count + naive.held.count, "the number of waiting intakes")
        try sample.check(pool.queuedCount <= pool.limits.queueMax, "the queue is longer than its bound")
        try sample.check(pool.queuedCount == 0 || pool.parkedCount == 0, "a request waits although an intake is free")
        for request in requests {
            let owner: UInt64? =
                switch naive.request(request)?.stage {
                case .handed(let agent, _), .answering(let agent): agent
                case .queued, nil: nil
                }
            try sample.check(pool.agent(of: request), is: owner, "who has request \(request)")
        }
        for agent in agents {
            let count = naive.requests.filter { request in
                switch request.stage {
                case .queued: false
                case .handed(let owner, _), .answering(let owner): owner == agent
                }
            }.count
            try sample.check(pool.inFlightCount(of: agent), is: count, "what agent \(agent) has")
        }
    }
}

extension Sample {
    /// Draws how long nothing happens: often nothing, often until just before, at or after the next deadline.
    fileprivate mutating func pause(until deadline: MonotonicInstant?, from now: MonotonicInstant) -> Duration {
        switch int(in: 0...7) {
        case 0...3: return .zero
        case 4, 5: return .milliseconds(int(in: 1...3000))
        case 6:
            guard let deadline, deadline > now else { return .zero }
            return (deadline - now) + .nanoseconds(int(in: -1...1))
        default: return .seconds(int(in: 1...200))
        }
    }

    /// Draws one of the numbers, mostly a late one, or rarely a number that nobody has.
    fileprivate mutating func known(_ ids: [UInt64]) -> UInt64 {
        guard !ids.isEmpty, !chance(oneIn: 20) else { return 999_999 }
        let recent = bool() ? Array(ids.suffix(4)) : ids
        return element(of: recent.reversed())
    }
}
