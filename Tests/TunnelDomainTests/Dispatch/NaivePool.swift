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
    struct Server: Hashable {
        var agent: UInt64
        var poolSize: Int
    }

    /// Who serves, in the order in which they came.
    var serving: [Server] = []
    var isShared = false
    /// Who was given a request, the last one at the end.
    var uses: [UInt64] = []
    var handover: UInt64?
    var draining: Set<UInt64> = []
    var isClosed = false
    var takeovers: [MonotonicInstant] = []
    var holdUntil: MonotonicInstant?
    /// When requests came that kept the pace.
    private var counted: [MonotonicInstant] = []

    init(limits: IntakePool.Limits) { self.limits = limits }

    // MARK: Requests

    mutating func arrive(_ id: UInt64) -> IntakePool.ArrivalDecision {
        told = now
        if isClosed { return .refuse(.tunnelInactive) }
        if serving.isEmpty && handover == nil { return .refuse(.agentOffline) }
        if !keepsPace() { return .refuse(.tooManyRequests) }
        if let intake = takeIntake() {
            add(id, .handed(agent: intake.agent, until: now + limits.responseDeadline))
            return .hand(intake: intake.id)
        }
        if queued.count >= limits.queueMax { return .refuse(.agentBusy) }
        add(id, .queued(until: now + limits.queueWait))
        return .queued
    }

    /// Since no request that kept the pace have come more than fit into the time since then and a second.
    private mutating func keepsPace() -> Bool {
        let pause = Duration.nanoseconds(1_000_000_000 / limits.requestsPerSecondMax)
        let isFast = counted.indices.contains { index in
            now - counted[index] < pause * (counted.count - index - limits.requestsPerSecondMax + 1)
        }
        if !isFast { counted.append(now) }
        return !isFast
    }

    mutating func park(_ id: UInt64, by agent: UInt64) -> IntakePool.ParkDecision {
        told = now
        if isClosed { return .closed }
        let intake = Intake(id: id, agent: agent, until: now + limits.intakeIdle)
        if let server = serving.first(where: { $0.agent == agent }) {
            if let first = queued.first {
                uses.append(agent)
                setStage(of: first.id, .handed(agent: agent, until: now + limits.responseDeadline))
                return .hand(request: first.id)
            }
            if freeCount(of: agent) >= server.poolSize { return .overPoolSize }
            parked.append(intake)
            return .hold
        }
        guard draining.contains(agent) else { return .superseded }
        if held.filter({ $0.agent == agent }).count >= limits.poolSizeMax { return .overPoolSize }
        held.append(intake)
        return .hold
    }

    private func freeCount(of agent: UInt64) -> Int { parked.filter { $0.agent == agent }.count }

    /// Of the agents with most free intakes the one that was used longest ago, and of its intakes the oldest.
    private mutating func takeIntake() -> Intake? {
        let most = serving.map { freeCount(of: $0.agent) }.max() ?? 0
        guard most > 0 else { return nil }
        let freest = serving.map(\.agent).filter { freeCount(of: $0) == most }
        let agent = freest.first { !uses.contains($0) } ?? freest.min { uses.lastIndex(of: $0)! < uses.lastIndex(of: $1)! }
        guard let agent, let index = parked.firstIndex(where: { $0.agent == agent }) else { return nil }
        uses.append(agent)
        return parked.remove(at: index)
    }

    mutating func loseIntake(_ id: UInt64) {
        parked.removeAll { $0.id == id }
        held.removeAll { $0.id == id }
    }

    mutating func handFailed(_ id: UInt64) -> [IntakePool.Action] {
        told = now
        guard let request = request(id), case .handed = request.stage else { return [] }
        if let intake = takeIntake() {
            setStage(of: id, .handed(agent: intake.agent, until: now + limits.responseDeadline))
            return [.hand(request: id, intake: intake.id)]
        }
        if serving.isEmpty && handover == nil { return [end(id, .agentDisconnected)] }
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

    mutating func connect(_ agent: UInt64, poolSize: Int, isShared: Bool) -> (IntakePool.ConnectDecision, [IntakePool.Action]) {
        told = now
        if isClosed { return (.refuseClosed, []) }
        var actions: [IntakePool.Action] = []
        let server = Server(agent: agent, poolSize: min(max(poolSize, 1), limits.poolSizeMax))
        if let index = serving.firstIndex(where: { $0.agent == agent }) {
            serving[index] = server
            return (.serve, [])
        }
        if !serving.isEmpty, self.isShared, isShared {
            if serving.count >= limits.sharingAgentsMax { return (.refuseTooManySharing, []) }
            draining.remove(agent)
            uses.removeAll { $0 == agent }
            serving.append(server)
            return (.join, [])
        }
        if !serving.isEmpty {
            if let until = holdUntil {
                if now < until { return (.refuseTooManyTakeovers(retryAfter: until - now, isFirst: false), []) }
                (holdUntil, takeovers) = (nil, [])
            }
            if takeovers.filter({ now - $0 < limits.supersedeWindow }).count >= limits.supersedesMax {
                holdUntil = now + limits.supersedeHold
                return (.refuseTooManyTakeovers(retryAfter: limits.supersedeHold, isFirst: true), [])
            }
            takeovers.append(now)
            for earlier in serving.map(\.agent) {
                actions += endHanded(of: earlier)
                let intakes = parked.filter { $0.agent == earlier }
                actions += intakes.map { .releaseIntake(intake: $0.id, reason: .superseded) }
                actions.append(.supersede(agent: earlier))
            }
            parked = []
        }
        draining.remove(agent)
        handover = nil
        serving = [server]
        self.isShared = isShared
        uses.removeAll { $0 == agent }
        return (.serve, actions)
    }

    mutating func drain(_ agent: UInt64) {
        guard serving.contains(where: { $0.agent == agent }) else { return }
        serving.removeAll { $0.agent == agent }
        if serving.isEmpty { handover = agent }
        draining.insert(agent)
        held = (held + parked.filter { $0.agent == agent }).stablySorted { $0.until }
        parked.removeAll { $0.agent == agent }
    }

    mutating func leave(_ agent: UInt64) -> [IntakePool.Action] {
        drain(agent)
        let released = held.filter { $0.agent == agent }
        held.removeAll { $0.agent == agent }
        return released.map { .releaseIntake(intake: $0.id, reason: .idle) }
    }

    mutating func loseAgent(_ agent: UInt64) -> [IntakePool.Action] {
        told = now
        var actions = endHanded(of: agent)
        held.removeAll { $0.agent == agent }
        draining.remove(agent)
        let wasServing = serving.contains { $0.agent == agent }
        serving.removeAll { $0.agent == agent }
        parked.removeAll { $0.agent == agent }
        if serving.isEmpty, wasServing || handover == agent {
            handover = nil
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
        (serving, handover, draining, parked, held) = ([], nil, [], [], [])
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
