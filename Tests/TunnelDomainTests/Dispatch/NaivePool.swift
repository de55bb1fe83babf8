import TunnelDomain

/// The pool of a tunnel written down from the data plane's text, with plain lists that are searched from front to back.
struct NaivePool {
    enum Stage: Hashable {
        case queued(until: MonotonicInstant)
        case handed(agent: UInt64, until: MonotonicInstant)
        case answering(agent: UInt64)
    }

    struct Request: Hashable {
        var id: UInt64
        var arrivedAt: MonotonicInstant
        var stage: Stage
    }

    struct Intake: Hashable {
        var id: UInt64
        var agent: UInt64
        var until: MonotonicInstant
    }

    struct Memory: Hashable {
        var id: UInt64
        var since: MonotonicInstant
    }

    let limits: IntakePool.Limits
    /// What time it is.
    var now = MonotonicInstant(nanoseconds: 0)
    /// What time it was when an event last said so; some events come without a time.
    private var told = MonotonicInstant(nanoseconds: 0)
    var requests: [Request] = []
    var parked: [Intake] = []
    var held: [Intake] = []
    var gone: [Memory] = []
    var answered: [Memory] = []
    var serving: (agent: UInt64, poolSize: Int)?
    var handover: UInt64?
    var draining: Set<UInt64> = []
    var isClosed = false
    var takeovers: [MonotonicInstant] = []
    var holdUntil: MonotonicInstant?

    init(limits: IntakePool.Limits) { self.limits = limits }

    // MARK: Requests

    mutating func arrive(_ id: UInt64) -> IntakePool.ArrivalDecision {
        told = now
        if isClosed { return .refuse(.tunnelInactive) }
        if serving == nil && handover == nil { return .refuse(.agentOffline) }
        if let serving, !parked.isEmpty {
            add(id, .handed(agent: serving.agent, until: now + limits.responseDeadline))
            return .hand(intake: parked.removeFirst().id)
        }
        if queued.count >= limits.queueMax { return .refuse(.agentBusy) }
        add(id, .queued(until: now + limits.queueWait))
        return .queued
    }

    mutating func park(_ id: UInt64, by agent: UInt64) -> IntakePool.ParkDecision {
        told = now
        if isClosed { return .closed }
        let intake = Intake(id: id, agent: agent, until: now + limits.intakeIdle)
        if let serving, serving.agent == agent {
            if let first = queued.first {
                setStage(of: first.id, .handed(agent: agent, until: now + limits.responseDeadline))
                return .hand(request: first.id)
            }
            if parked.count >= serving.poolSize { return .overPoolSize }
            parked.append(intake)
            return .hold
        }
        guard draining.contains(agent) else { return .superseded }
        if held.count >= limits.poolSizeMax { return .overPoolSize }
        held.append(intake)
        return .hold
    }

    mutating func loseIntake(_ id: UInt64) {
        parked.removeAll { $0.id == id }
        held.removeAll { $0.id == id }
    }

    mutating func handFailed(_ id: UInt64) -> [IntakePool.Action] {
        told = now
        guard let request = request(id), case .handed = request.stage else { return [] }
        if let serving, !parked.isEmpty {
            setStage(of: id, .handed(agent: serving.agent, until: now + limits.responseDeadline))
            return [.hand(request: id, intake: parked.removeFirst().id)]
        }
        if serving == nil && handover == nil { return [end(id, .agentDisconnected)] }
        let until = request.arrivedAt + limits.queueWait
        if now >= until || queued.count >= limits.queueMax { return [end(id, .agentBusy)] }
        setStage(of: id, .queued(until: until))
        return []
    }

    mutating func reply(_ id: UInt64) -> IntakePool.ReplyDecision {
        told = now
        if let request = request(id) {
            switch request.stage {
            case .queued: return .unknown
            case .answering: return .alreadyAnswered
            case .handed(let agent, let until):
                if now >= until { return .gone }
                setStage(of: id, .answering(agent: agent))
                return .accept
            }
        }
        func isRemembered(_ list: [Memory], _ countMax: Int) -> Bool {
            list.suffix(countMax).contains { $0.id == id && now - $0.since < limits.memoryTime }
        }
        if isRemembered(gone, limits.goneMemoryMax) { return .gone }
        return isRemembered(answered, limits.answeredMemoryMax) ? .alreadyAnswered : .unknown
    }

    mutating func finish(_ id: UInt64) {
        guard let request = request(id), case .answering = request.stage else { return }
        requests.removeAll { $0.id == id }
        answered.append(Memory(id: id, since: told))
    }

    mutating func abandon(_ id: UInt64) {
        guard request(id) != nil else { return }
        _ = end(id, .agentBusy)
    }

    // MARK: Agents

    mutating func connect(_ agent: UInt64, poolSize: Int) -> (IntakePool.ConnectDecision, [IntakePool.Action]) {
        told = now
        if isClosed { return (.refuseClosed, []) }
        var actions: [IntakePool.Action] = []
        if let earlier = serving?.agent, earlier != agent {
            if let until = holdUntil {
                if now < until { return (.refuseTooManyTakeovers(retryAfter: until - now), []) }
                (holdUntil, takeovers) = (nil, [])
            }
            if takeovers.filter({ now - $0 < limits.supersedeWindow }).count >= limits.supersedesMax {
                holdUntil = now + limits.supersedeHold
                return (.refuseTooManyTakeovers(retryAfter: limits.supersedeHold), [])
            }
            takeovers.append(now)
            actions += endHanded(of: earlier)
            actions += parked.map { .releaseIntake(intake: $0.id, reason: .superseded) }
            parked = []
            actions.append(.supersede(agent: earlier))
        }
        draining.remove(agent)
        handover = nil
        serving = (agent, min(max(poolSize, 1), limits.poolSizeMax))
        return (.serve, actions)
    }

    mutating func drain(_ agent: UInt64) {
        guard serving?.agent == agent else { return }
        (serving, handover) = (nil, agent)
        draining.insert(agent)
        held = (held + parked).stablySorted { $0.until }
        parked = []
    }

    mutating func loseAgent(_ agent: UInt64) -> [IntakePool.Action] {
        told = now
        var actions = endHanded(of: agent)
        held.removeAll { $0.agent == agent }
        draining.remove(agent)
        if serving?.agent == agent || handover == agent {
            (serving, handover, parked) = (nil, nil, [])
            actions += queued.map(\.id).map { end($0, .agentDisconnected) }
        }
        return actions
    }

    mutating func close() -> [IntakePool.Action] {
        told = now
        if isClosed { return [] }
        isClosed = true
        let handed = requests.filter { if case .handed = $0.stage { true } else { false } }
        var actions = handed.stablySorted { Self.deadline($0) }.map { end($0.id, .agentDisconnected) }
        actions += queued.map(\.id).map { end($0, .tunnelInactive) }
        actions += (parked + held).map { .releaseIntake(intake: $0.id, reason: .closed) }
        (serving, handover, draining, parked, held) = (nil, nil, [], [], [])
        return actions
    }

    mutating func reopen() { isClosed = false }

    mutating func advance() -> [IntakePool.Action] {
        told = now
        let late = requests.filter { Self.deadline($0) <= now }
        func isQueued(_ request: Request) -> Bool { if case .queued = request.stage { true } else { false } }
        func isHanded(_ request: Request) -> Bool { if case .handed = request.stage { true } else { false } }
        var actions = late.filter(isQueued).stablySorted { Self.deadline($0) }.map { end($0.id, .agentBusy) }
        actions += late.filter(isHanded).stablySorted { Self.deadline($0) }.map { end($0.id, .responseDeadlineExceeded) }
        actions += (parked + held).filter { $0.until <= now }.map { .releaseIntake(intake: $0.id, reason: .idle) }
        parked.removeAll { $0.until <= now }
        held.removeAll { $0.until <= now }
        return actions
    }

    // MARK: Looking

    var queued: [Request] {
        requests.filter { if case .queued = $0.stage { true } else { false } }.stablySorted { Self.deadline($0) }
    }

    func request(_ id: UInt64) -> Request? { requests.first { $0.id == id } }

    var nextDeadline: MonotonicInstant? {
        let waiting = requests.filter { if case .answering = $0.stage { false } else { true } }
        return (waiting.map(Self.deadline) + (parked + held).map(\.until)).min()
    }

    static func deadline(_ request: Request) -> MonotonicInstant {
        switch request.stage {
        case .queued(let until), .handed(_, let until): until
        case .answering: MonotonicInstant(nanoseconds: .max)
        }
    }

    // MARK: Changing

    private mutating func add(_ id: UInt64, _ stage: Stage) {
        requests.append(Request(id: id, arrivedAt: now, stage: stage))
    }

    private mutating func setStage(of id: UInt64, _ stage: Stage) {
        // A new stage goes behind the others of its kind, as it begins last.
        guard var request = request(id) else { return }
        requests.removeAll { $0.id == id }
        request.stage = stage
        requests.append(request)
    }

    private mutating func end(_ id: UInt64, _ reason: IntakePool.FailureReason) -> IntakePool.Action {
        if let request = request(id), case .queued = request.stage {
        } else {
            gone.append(Memory(id: id, since: told))
        }
        requests.removeAll { $0.id == id }
        return .failRequest(request: id, reason: reason)
    }

    private mutating func endHanded(of agent: UInt64) -> [IntakePool.Action] {
        let handed = requests.filter { if case .handed(agent, _) = $0.stage { true } else { false } }
        return handed.stablySorted { Self.deadline($0) }.map { end($0.id, .agentDisconnected) }
    }
}

extension Array {
    func stablySorted(by key: (Element) -> MonotonicInstant) -> [Element] {
        enumerated().sorted { (key($0.element), $0.offset) < (key($1.element), $1.offset) }.map(\.element)
    }
}
