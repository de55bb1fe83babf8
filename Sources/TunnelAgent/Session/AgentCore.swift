internal import LinuxIO
internal import TLS
internal import TunnelDomain
internal import TunnelWire

/// The agent on its loop: keeps one session serving, lets older ones finish, and knows when to give up.
final class AgentCore {
    let configuration: AgentConfiguration
    let context: TLSContext
    let loop: Loop
    /// What answers the requests that come from now on.
    private(set) var origins: OriginSource
    private let outbox: AgentOutbox
    private var ended: ((AgentStop) -> Void)?
    private var passthrough: PassthroughFront?

    /// The session that takes requests, or is about to.
    private var current: AgentSession?
    /// Sessions that the server has told to end, while their replies are on the way.
    private var leaving: [AgentSession] = []
    /// Exchanges that need a connection for their reply.
    private var homeless: [Exchange] = []
    private var exchanges: [UInt64: Exchange] = [:]
    /// Exchanges whose TLS ended here.
    private var terminated: [UInt64: TerminatedExchange] = [:]
    private var lastExchangeNumber: UInt64 = 0
    private var backoff = ReconnectBackoff()
    private var reconnectTimer: TimerID?
    private var reconnectAt: MonotonicInstant?
    private var wakeWatch: WakeWatch?
    private var networkWatch: NetworkWatch?
    private var random = SystemRandomNumberGenerator()
    private var isStopping = false
    private var isDeadlineCheckScheduled = false
    private var unsent: [AgentEvent] = []
    private var isSendScheduled = false
    /// What the server grants a request until its response begins, and two seconds for the way.
    private(set) var responseSecondsMax = 62

    init(
        configuration: AgentConfiguration, context: TLSContext, server: AgentServer, passthrough: PassthroughWork?, loop: Loop,
        outbox: AgentOutbox, ended: @escaping (AgentStop) -> Void
    ) {
        self.configuration = configuration
        self.context = context
        self.loop = loop
        self.outbox = outbox
        self.ended = ended
        origins = OriginSource(server: server, rules: configuration.rules, configuration: configuration, loop: loop)
        self.passthrough = passthrough.map { PassthroughFront($0, core: self) }
    }

    /// Does something again and again, until the agent has ended.
    func repeatedly(after interval: Duration, _ body: @escaping () -> Void) {
        loop.schedule(after: interval) { [self] in
            guard ended != nil else { return }
            body()
            repeatedly(after: interval, body)
        }
    }

    func start() {
        // Where the system grants neither, the pauses between attempts are as long as they are.
        wakeWatch = try? WakeWatch(on: loop) { [weak self] in self?.noticedNetwork() }
        networkWatch = try? NetworkWatch(on: loop) { [weak self] in self?.noticedNetwork() }
        connect()
    }

    /// Requests that come from now on are answered in another way; those under way go on as they began.
    func serve(_ server: AgentServer, _ rules: AgentRules) {
        let old = origins
        origins = OriginSource(server: server, rules: rules, configuration: configuration, loop: loop)
        old.close()
    }

    /// Reports of requests go out in batches: each wakes another thread, which costs more than carrying the request.
    private static let reportPause: Duration = .milliseconds(10)

    func emit(_ event: AgentEvent) {
        unsent.append(event)
        switch event {
        case .request, .connection: sendLater()
        case .certificateRenewed, .certificateNotRenewed, .connecting, .connected, .sharing, .reconnecting, .handingOver,
            .stopped:
            send()
        }
    }

    private func sendLater() {
        guard !isSendScheduled else { return }
        isSendScheduled = true
        loop.schedule(after: Self.reportPause) { [self] in
            isSendScheduled = false
            send()
        }
    }

    private func send() {
        guard !unsent.isEmpty else { return }
        outbox.put(unsent)
        unsent.removeAll(keepingCapacity: true)
    }
}

// MARK: - Connecting

extension AgentCore {
    private func connect() {
        reconnectTimer = nil
        guard ended != nil, !isStopping, current == nil else { return }
        emit(.connecting(to: configuration.edge))
        let (edge, door) = (configuration.edge, loop.door)
        // Names are looked up off the loop, anew for each attempt: the server may have moved.
        Task.detached {
            let addresses = TargetResolution.addresses(of: edge.host, port: edge.port)
            door.execute { ($0.resident as? AgentCore)?.resolved(addresses) }
        }
    }

    private func resolved(_ addresses: [SocketAddress]) {
        guard ended != nil, !isStopping, current == nil else { return }
        guard !addresses.isEmpty else {
            return reconnectLater("\(configuration.edge.host) does not resolve to an address", nil)
        }
        let session = AgentSession(core: self, addresses: addresses)
        current = session
        session.connect()
    }

    private func reconnectLater(_ reason: String, _ retryAfterSeconds: Int?) {
        guard ended != nil, !isStopping, reconnectTimer == nil else { return }
        var pause = backoff.pause(using: &random)
        if let retryAfterSeconds { pause = max(pause, .seconds(retryAfterSeconds)) }
        emit(.reconnecting(after: pause, reason: reason))
        reconnectLater(at: loop.now + pause)
    }

    private func reconnectLater(at moment: MonotonicInstant) {
        if let reconnectTimer { loop.cancel(reconnectTimer) }
        reconnectAt = moment
        reconnectTimer = loop.schedule(at: moment) { [self] in connect() }
    }

    /// The machine woke, or its network has changed: what waits tries at once, what stands is made sure of.
    func noticedNetwork() {
        guard ended != nil, !isStopping else { return }
        guard reconnectTimer != nil, let reconnectAt else {
            current?.probe()
            return
        }
        let moment = backoff.hurry(at: loop.now)
        if moment < reconnectAt { reconnectLater(at: moment) }
    }
}

// MARK: - What sessions tell

extension AgentCore {
    func sessionConnected(_ session: AgentSession, _ grant: HelloGrant) {
        guard session === current else { return }
        backoff.succeeded()
        responseSecondsMax = grant.responseDeadlineSeconds + 2
        emit(.connected(publicURL: configuration.publicURL))
        if configuration.isShared { emit(.sharing(agentCount: grant.servingAgentCount)) }
        let waiting = homeless
        homeless = []
        for exchange in waiting { exchange.reply(on: session) }
        for old in leaving { old.closeIfDone() }
    }

    /// The server ends the session soon: another one is made at once, and this one finishes its replies.
    func sessionIsLeaving(_ session: AgentSession, reason: String) {
        guard session === current else { return }
        current = nil
        leaving.append(session)
        passthrough?.move()
        guard !isStopping else { return finishIfDrained() }
        emit(.handingOver(reason: reason))
        connect()
    }

    /// The session has been left, and no intake of it is parked any more.
    func sessionBringsNothingMore() { if isStopping { finishIfDrained() } }

    /// The session is over and has told its exchanges.
    func sessionEnded(_ session: AgentSession, _ end: SessionEnd) {
        leaving.removeAll { $0 === session }
        let wasCurrent = session === current
        if wasCurrent { current = nil }
        switch end {
        case .refused(let status, let reason): if wasCurrent { finish(.refused(status: status, reason: reason)) }
        case .superseded: if wasCurrent { finish(.superseded) }
        case .lost(let reason, let retryAfterSeconds):
            if isStopping { finishIfDrained() } else if wasCurrent { reconnectLater(reason, retryAfterSeconds) }
        }
    }
}

// MARK: - Exchanges

extension AgentCore {
    var isFull: Bool { exchanges.count >= configuration.limits.requestsInFlightMax || passthrough?.isFull == true }

    func begin(_ exchange: Exchange) -> UInt64 {
        let number = nextExchangeNumber()
        exchanges[number] = exchange
        checkDeadlinesLater()
        return number
    }

    /// One timer for all exchanges, while there are any.
    private func checkDeadlinesLater() {
        guard !isDeadlineCheckScheduled, !exchanges.isEmpty else { return }
        isDeadlineCheckScheduled = true
        loop.schedule(after: .seconds(1)) { [self] in
            isDeadlineCheckScheduled = false
            for exchange in exchanges.values { exchange.checkDeadline(responseSecondsMax: responseSecondsMax) }
            checkDeadlinesLater()
        }
    }

    /// What has room for more requests says so to the server.
    func parkIntakes() { current?.parkIntakes() }

    func exchangeEnded(_ exchange: Exchange, number: UInt64) {
        exchanges[number] = nil
        homeless.removeAll { $0 === exchange }
        parkIntakes()
        for session in leaving { session.closeIfDone() }
        if isStopping { finishIfDrained() }
    }

    /// A connection that a reply may begin on, or nil: then the exchange is called once there is one.
    func sessionForReply(of exchange: Exchange) -> AgentSession? {
        if let current, current.isServing { return current }
        homeless.append(exchange)
        return nil
    }

    /// The server says that nobody waits for this request any more (feature `cancel`).
    func cancel(requestID: String) {
        exchanges.values.first { $0.requestID == requestID }?.abort("the third party went away")
    }

    func exchange(number: UInt64) -> (any OriginListener)? { exchanges[number] ?? terminated[number] }
}

// MARK: - Passthrough

extension AgentCore {
    /// Fetches a third party whose TLS the server has not ended; what is wrong when there is nobody to end it here.
    func carry(_ envelope: RequestEnvelope, on session: AgentSession?) -> String? {
        guard let passthrough else { return "refused: this agent ends no TLS; \"culvert tls\" makes one that does" }
        guard let session else { return "the connection to the server was lost" }
        // Bytes that nobody here can read cannot show a password either.
        if passthrough.carriesOnly, let refusal = origins.rules.refusal(of: envelope) {
            passthrough.refuse(envelope, "refused: \(refusal.code)", on: session)
            return nil
        }
        passthrough.begin(envelope, on: session)
        return nil
    }

    func nextExchangeNumber() -> UInt64 {
        lastExchangeNumber += 1
        return lastExchangeNumber
    }

    func register(_ exchange: TerminatedExchange, number: UInt64) { terminated[number] = exchange }
    func forget(number: UInt64) { terminated[number] = nil }
    var mayBeginTerminated: Bool { terminated.count <= configuration.limits.terminatedRequestsMax }

    func passthroughHasRoom() { parkIntakes() }
    func passthroughIsIdle() { if isStopping { finishIfDrained() } }
}

// MARK: - Ending

extension AgentCore {
    /// Takes no more requests, waits for the replies, then ends.
    func stop() {
        guard ended != nil, !isStopping else { return }
        isStopping = true
        if let reconnectTimer { loop.cancel(reconnectTimer) }
        current?.leave()
        passthrough?.drain()
        loop.schedule(after: .seconds(configuration.limits.drainSecondsMax)) { [self] in finish(.requested) }
        finishIfDrained()
    }

    private func finishIfDrained() {
        guard exchanges.isEmpty, passthrough?.isIdle ?? true, current?.mayBringMore != true else { return }
        finish(.requested)
    }

    private func finish(_ stop: AgentStop) {
        guard let ended else { return }
        self.ended = nil
        for exchange in exchanges.values { exchange.abort("the agent stopped") }
        let sessions = leaving + [current].compactMap(\.self)
        for session in sessions { session.close() }
        current = nil
        leaving = []
        passthrough = nil
        origins.close()
        wakeWatch?.stop(on: loop)
        networkWatch?.stop(on: loop)
        send()
        // Not before the server has read the last replies.
        var openCount = sessions.count + 1
        let oneLess = {
            openCount -= 1
            if openCount == 0 { ended(stop) }
        }
        for session in sessions { session.whenClosed(oneLess) }
        loop.schedule(after: .milliseconds(50), oneLess)
    }
}
