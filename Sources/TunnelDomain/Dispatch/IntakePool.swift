/// Where a tunnel's requests meet its agent's parked intakes (data plane, sections 3 to 5, 8 and 9).
///
/// The pool decides and never acts: every event comes in with the time, a decision comes out, and whatever else follows is
/// appended to the shell's list of actions. Agents (connections that said hello), intakes and requests are numbers that the
/// shell chooses and never uses twice.
///
/// A request ends exactly once: it is refused, fails by an action, is abandoned, or its reply finishes. Requests are served
/// in the order in which they arrived, intakes in the order in which they parked. Time that runs backwards counts as
/// standing still, and an event that comes without a time happens when the last one with a time did.
///
/// Waiting in the queue, for an intake, and parked time are enforced by ``advance(to:into:)``: whoever is still waiting when
/// its partner comes is served, even if the timer is late. The response deadline is exact: a reply at or after it is refused.
public struct IntakePool: Sendable {
    public let limits: Limits

    var service: Service = .offline
    /// Connections that keep their requests and get no new ones.
    var draining: [UInt64] = []
    /// The agents that get new requests, in the order in which they came; more than one when they share the tunnel.
    var servers: [Server] = []
    /// Counts what was handed over, so that agents can tell who was used last.
    var handCount: UInt64 = 0
    /// The intakes of the serving agents.
    var parked = ParkedIntakes()
    /// The intakes of draining agents: held open, never given work.
    var held = ParkedIntakes()
    var requests = RequestLedger()
    var pace: RequestPace
    /// When agents took over, oldest first, within the window.
    var takeovers: [MonotonicInstant] = []
    /// Until when challengers are refused.
    var takeoverHold: MonotonicInstant?
    /// The latest time that any event brought.
    var now = MonotonicInstant(nanoseconds: .min)

    // The limits in nanoseconds: arithmetic with Duration has 128 bits, which a request need not pay for.
    let queueWaitNanoseconds: Int64
    let responseDeadlineNanoseconds: Int64
    let intakeIdleNanoseconds: Int64
    let memoryNanoseconds: Int64

    /// Who serves the tunnel.
    enum Service: Hashable {
        /// Nobody; requests are refused.
        case offline
        /// The agent that said hello last, or all that share the tunnel.
        case serving(isShared: Bool)
        /// The last agent drains and its successor is expected; requests queue.
        case handover(from: UInt64)
        /// The tunnel is deleted.
        case closed
    }

    struct Server {
        var agent: UInt64
        var poolSize: Int
        /// The number of the last hand-over to it; 0 before the first.
        var lastHand: UInt64 = 0
    }

    /// Makes the pool of a tunnel that no agent serves yet.
    ///
    /// - Precondition: counts and durations are not negative, at least one intake may be parked and one request come.
    public init(limits: Limits = Limits()) {
        precondition(limits.queueMax >= 0 && limits.poolSizeMax > 0 && limits.supersedesMax >= 0, "counts are not negative")
        precondition(limits.sharingAgentsMax > 0, "somebody may serve the tunnel")
        precondition(limits.goneMemoryMax >= 0 && limits.answeredMemoryMax >= 0, "counts are not negative")
        self.limits = limits
        pace = RequestPace(perSecondMax: limits.requestsPerSecondMax)
        queueWaitNanoseconds = limits.queueWait.wholeNanoseconds
        responseDeadlineNanoseconds = limits.responseDeadline.wholeNanoseconds
        intakeIdleNanoseconds = limits.intakeIdle.wholeNanoseconds
        memoryNanoseconds = limits.memoryTime.wholeNanoseconds
    }
}

// MARK: - What the shell may ask

extension IntakePool {
    /// The agents that get new requests, in the order in which they came.
    public var servingAgents: [UInt64] { servers.map(\.agent) }

    public var isClosed: Bool { service == .closed }
    /// The requests that wait for an intake.
    public var queuedCount: Int { requests.count(in: .queued) }
    /// The requests that an agent has and whose reply is not complete.
    public var inFlightCount: Int { requests.count(in: .handed) + requests.count(in: .answering) }
    /// The intakes that the serving agents have parked.
    public var parkedCount: Int { parked.count }

    /// The requests of one agent whose reply is not complete; a draining connection may end when there are none.
    public func inFlightCount(of agent: UInt64) -> Int {
        requests.places(in: .handed) { $0.agent == agent }.count + requests.places(in: .answering) { $0.agent == agent }.count
    }

    /// The agent that has a request and has not completed its reply, or nil.
    public func agent(of request: UInt64) -> UInt64? {
        guard let place = requests.place(of: request) else { return nil }
        switch requests[place].phase {
        case .handed, .answering: return requests[place].agent
        case .queued, .answered, .gone: return nil
        }
    }

    /// When ``advance(to:into:)`` has something to do, or nil while nothing waits.
    public var nextDeadline: MonotonicInstant? {
        var next: MonotonicInstant?
        func consider(_ deadline: MonotonicInstant?) {
            guard let deadline else { return }
            next = next.map { min($0, deadline) } ?? deadline
        }
        consider(requests.first(in: .queued).map { requests[$0].deadline })
        consider(requests.first(in: .handed).map { requests[$0].deadline })
        consider(parked.first?.idleDeadline)
        consider(held.first?.idleDeadline)
        return next
    }
}

// MARK: - Time

extension IntakePool {
    /// Fails the requests and releases the intakes whose time is up.
    public mutating func advance(to time: MonotonicInstant, into actions: inout [Action]) {
        note(time)
        while let request = requests.first(in: .queued), requests[request].deadline <= now {
            fail(request, .agentBusy, into: &actions)
        }
        while let request = requests.first(in: .handed), requests[request].deadline <= now {
            fail(request, .responseDeadlineExceeded, into: &actions)
        }
        Self.releaseIdle(&parked, at: now, into: &actions)
        Self.releaseIdle(&held, at: now, into: &actions)
        forgetOldRequests()
    }

    private static func releaseIdle(
        _ intakes: inout ParkedIntakes, at now: MonotonicInstant, into actions: inout [Action]
    ) {
        while let intake = intakes.first, intake.idleDeadline <= now {
            _ = intakes.removeFirst()
            actions.append(.releaseIntake(intake: intake.id, reason: .idle))
        }
    }

    mutating func note(_ time: MonotonicInstant) {
        if time > now { now = time }
    }

    /// The moment so long after the latest event, without 128-bit arithmetic.
    func later(by nanoseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: now.nanoseconds.saturatingAdded(nanoseconds))
    }
}

// MARK: - Remembering what is over

extension IntakePool {
    /// Ends a request with a failure. One that no agent was given leaves no trace; no reply can ask for it.
    mutating func fail(_ request: RequestLedger.Place, _ reason: FailureReason, into actions: inout [Action]) {
        actions.append(.failRequest(request: requests[request].id, reason: reason))
        forget(request)
    }

    /// Ends a request whose third party needs nothing more.
    mutating func forget(_ request: RequestLedger.Place) {
        switch requests[request].phase {
        case .queued: requests.remove(request)
        case .handed, .answering: remember(request, as: .gone)
        case .answered, .gone: return
        }
    }

    mutating func remember(_ request: RequestLedger.Place, as phase: RequestLedger.Phase) {
        requests.move(request, to: phase, agent: 0, deadline: later(by: memoryNanoseconds))
        forgetOldRequests()
    }

    private mutating func forgetOldRequests() {
        forgetOldRequests(.gone, beyond: limits.goneMemoryMax)
        forgetOldRequests(.answered, beyond: limits.answeredMemoryMax)
    }

    private mutating func forgetOldRequests(_ phase: RequestLedger.Phase, beyond countMax: Int) {
        while let oldest = requests.first(in: phase),
            requests.count(in: phase) > countMax || requests[oldest].deadline <= now
        {
            requests.remove(oldest)
        }
    }
}
