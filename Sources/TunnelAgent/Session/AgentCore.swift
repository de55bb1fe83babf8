internal import LinuxIO
internal import TLS
internal import TunnelDomain

/// The agent on its loop: keeps one session serving, lets older ones finish, and knows when to give up.
final class AgentCore {
    let configuration: AgentConfiguration
    let context: TLSContext
    let loop: Loop
    let origins: OriginSource
    private let outbox: AsyncStream<AgentEvent>.Continuation
    private var ended: ((AgentStop) -> Void)?

    /// The session that takes requests, or is about to.
    private var current: AgentSession?
    /// Sessions that the server has told to end, while their replies are on the way.
    private var leaving: [AgentSession] = []
    /// Exchanges that need a connection for their reply.
    private var homeless: [Exchange] = []
    private var exchanges: [UInt64: Exchange] = [:]
    private var lastExchangeNumber: UInt64 = 0
    private var backoff = ReconnectBackoff()
    private var reconnectTimer: TimerID?
    private var random = SystemRandomNumberGenerator()
    private var isStopping = false
    private var isDeadlineCheckScheduled = false
    private var unsent: [AgentEvent] = []
    private var isSendScheduled = false
    /// What the server grants a request until its response begins, and two seconds for the way.
    private var responseSecondsMax = 62

    init(
        configuration: AgentConfiguration, context: TLSContext, server: AgentServer, loop: Loop,
        outbox: AsyncStream<AgentEvent>.Continuation, ended: @escaping (AgentStop) -> Void
    ) {
        self.configuration = configuration
        self.context = context
        self.loop = loop
        self.outbox = outbox
        self.ended = ended
        origins = OriginSource(server: server, configuration: configuration, loop: loop)
    }

    func start() { connect() }

    /// Reports of requests go out in batches: each wakes another thread, which costs more than carrying the request.
    private static let reportPause: Duration = .milliseconds(10)

    func emit(_ event: AgentEvent) {
        unsent.append(event)
        switch event {
        case .request: sendLater()
        case .connecting, .connected, .reconnecting, .handingOver, .stopped: send()
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
        for event in unsent { outbox.yield(event) }
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
        reconnectTimer = loop.schedule(after: pause) { [self] in connect() }
    }
}

// MARK: - What sessions tell

extension AgentCore {
    func sessionConnected(_ session: AgentSession, _ grant: HelloGrant) {
        guard session === current else { return }
        backoff.succeeded()
        responseSecondsMax = grant.responseDeadlineSeconds + 2
        emit(.connected(publicURL: configuration.publicURL))
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
        guard !isStopping else { return }
        emit(.handingOver(reason: reason))
        connect()
    }

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
    var isFull: Bool { exchanges.count >= configuration.limits.requestsInFlightMax }

    func begin(_ exchange: Exchange) -> UInt64 {
        lastExchangeNumber += 1
        exchanges[lastExchangeNumber] = exchange
        checkDeadlinesLater()
        return lastExchangeNumber
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

    func exchangeEnded(_ exchange: Exchange, number: UInt64) {
        exchanges[number] = nil
        homeless.removeAll { $0 === exchange }
        current?.parkIntakes()
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

    func exchange(number: UInt64) -> Exchange? { exchanges[number] }
}

// MARK: - Ending

extension AgentCore {
    /// Takes no more requests, waits for the replies, then ends.
    func stop() {
        guard ended != nil, !isStopping else { return }
        isStopping = true
        if let reconnectTimer { loop.cancel(reconnectTimer) }
        current?.unpark()
        loop.schedule(after: .seconds(configuration.limits.drainSecondsMax)) { [self] in finish(.requested) }
        finishIfDrained()
    }

    private func finishIfDrained() {
        if exchanges.isEmpty { finish(.requested) }
    }

    private func finish(_ stop: AgentStop) {
        guard let ended else { return }
        self.ended = nil
        for exchange in exchanges.values { exchange.abort("the agent stopped") }
        for session in leaving + [current].compactMap(\.self) { session.close() }
        current = nil
        leaving = []
        origins.close()
        send()
        // The last bytes leave at the end of this turn; the loop ends after it.
        loop.schedule(after: .milliseconds(50)) { ended(stop) }
    }
}
