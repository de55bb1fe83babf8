internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelWire

/// A tunnel on its loop: carries out what the domain's `IntakePool` decides.
final class TunnelSite {
    /// The record as it is now in the store.
    var tunnel: Tunnel
    /// Counts the record's changes.
    var generation = 0
    private let loop: Loop
    private var pool: IntakePool
    private var links: [UInt64: AgentLink] = [:]
    private var intakes: [UInt64: ParkedIntake] = [:]
    private var exchanges: [UInt64: Exchange] = [:]
    private var actions: [IntakePool.Action] = []
    private var isActing = false
    private var timer: TimerID?
    private var timerDeadline: MonotonicInstant?
    private var lastIntake: UInt64 = 0
    private(set) var connectionCount = 0

    private struct ParkedIntake {
        var stream: HTTPStream
        var link: AgentLink
    }

    init(tunnel: Tunnel, limits: IntakePool.Limits, loop: Loop) {
        self.tunnel = tunnel
        self.loop = loop
        pool = IntakePool(limits: limits)
    }

    /// Nothing here would be missed.
    var isEmpty: Bool { links.isEmpty && exchanges.isEmpty && connectionCount == 0 }
    var hasWork: Bool { !exchanges.isEmpty }
    var openExchangeCount: Int { exchanges.count }
    var parkedCount: Int { pool.parkedCount }

    func admitConnection(max: Int) -> Bool {
        guard connectionCount < max else { return false }
        connectionCount += 1
        return true
    }

    func releaseConnection() { connectionCount -= 1 }

    // MARK: Third parties

    func arrived(_ exchange: Exchange) {
        exchanges[exchange.number] = exchange
        switch pool.requestArrived(exchange.number, at: loop.now) {
        case .hand(let intake): hand(exchange.number, intake)
        case .queued: break
        case .refuse(let reason):
            exchanges[exchange.number] = nil
            exchange.refuse(Refusal(reason))
        }
        setTimer()
    }

    func abandoned(_ exchange: Exchange) {
        let agent = pool.agent(of: exchange.number)
        pool.requestAbandoned(exchange.number)
        guard exchange.wasHanded, !exchange.hasReply, let agent, let link = links[agent] else { return }
        cancel(exchange.id, at: link)
    }

    /// The request never left: it goes to the next intake, if there is one.
    func handFailed(_ exchange: Exchange) {
        pool.handFailed(exchange.number, at: loop.now, into: &actions)
        act()
    }

    func exchangeOver(_ exchange: Exchange) { exchanges[exchange.number] = nil }

    /// Tells the agent that the request is of no use any more, if it knows that word.
    private func cancel(_ id: String, at link: AgentLink) {
        guard link.features.contains(.cancel) else { return }
        if let (number, intake) = intakes.first(where: { $0.value.link === link }) {
            intakes[number] = nil
            pool.intakeLost(number)
            sendCancellation(id, on: intake.stream)
        } else {
            link.cancellations.append(id)
        }
    }

    private func sendCancellation(_ id: String, on stream: HTTPStream) {
        var fields = HTTPFields()
        fields.append("inkbox-request-id", id)
        fields.append("inkbox-route-kind", "cancel")
        stream.respond(HTTPResponseHead(status: 200, fields: fields), isEnd: true)
    }

    // MARK: Agents

    func connect(_ link: AgentLink) -> IntakePool.ConnectDecision {
        let decision = pool.agentConnected(link.number, poolSize: link.poolSize, at: loop.now, into: &actions)
        if case .serve = decision {
            links[link.number] = link
        }
        act()
        return decision
    }

    func linkLost(_ link: AgentLink) {
        guard links.removeValue(forKey: link.number) != nil else { return }
        for (number, intake) in intakes where intake.link === link { intakes[number] = nil }
        pool.agentLost(link.number, at: loop.now, into: &actions)
        act()
    }

    /// Takes an intake; false when the agent has parked too many and its connection has to end.
    func park(_ stream: HTTPStream, of link: AgentLink, receiver: (UInt64) -> any HTTPStreamReceiver) -> Bool {
        if !link.cancellations.isEmpty {
            sendCancellation(link.cancellations.removeFirst(), on: stream)
            return true
        }
        lastIntake += 1
        let number = lastIntake
        intakes[number] = ParkedIntake(stream: stream, link: link)
        stream.receiver = receiver(number)
        let decision = pool.intakeParked(number, by: link.number, at: loop.now)
        switch decision {
        case .hand(let request): hand(request, number)
        case .hold: break
        case .superseded: release(number, .superseded)
        case .overPoolSize:
            intakes[number] = nil
            return false
        case .closed: release(number, .closed)
        }
        setTimer()
        return true
    }

    func intakeLost(_ number: UInt64) {
        guard intakes.removeValue(forKey: number) != nil else { return }
        pool.intakeLost(number)
    }

    func link(_ number: UInt64) -> AgentLink? { links[number] }

    // MARK: Replies

    enum ReplyAnswer { case take(Exchange), refuse(status: Int) }

    func replyArrived(_ request: UInt64) -> ReplyAnswer {
        switch pool.replyArrived(request, at: loop.now) {
        case .accept: exchanges[request].map { .take($0) } ?? .refuse(status: 410)
        case .unknown: .refuse(status: 404)
        case .alreadyAnswered: .refuse(status: 409)
        case .gone: .refuse(status: 410)
        }
    }

    func replyFinished(_ exchange: Exchange) { pool.replyFinished(exchange.number) }

    /// The agent's reply broke off after its head.
    func replyBroken(_ exchange: Exchange) {
        pool.replyFinished(exchange.number)
        exchange.breakOff()
    }

    /// The agent's reply was no HTTP.
    func replyInvalid(_ exchange: Exchange) {
        pool.replyFinished(exchange.number)
        exchange.refuse(.invalidReply)
    }

    // MARK: The tunnel's own changes

    func close(_ ending: AgentLink.Ending) {
        pool.close(at: loop.now, into: &actions)
        act()
        for link in links.values {
            link.end(ending)
            link.connection.closeAfterFlush()
        }
    }

    func reopen() { pool.reopen() }

    /// Ends the connections that were opened with this key.
    func keyRevoked(_ keyID: UUIDValue) {
        for link in links.values where link.keyID == keyID {
            linkLost(link)
            link.end(.keyRevoked)
            link.connection.closeAfterFlush()
        }
    }

    /// Gives no agent new work; when their replies are in they are told to go.
    func drain() {
        for link in links.values {
            pool.agentDraining(link.number)
            if pool.inFlightCount(of: link.number) == 0 { link.end(.drain) }
        }
    }

    func dismissLinks() {
        for link in links.values {
            link.end(.drain)
            link.connection.closeAfterFlush()
        }
    }

    // MARK: Acting

    private func act() {
        // Acting may bring more to do; it is done in its turn by the call that is under way.
        guard !isActing else { return }
        isActing = true
        defer { isActing = false }
        var next = 0
        while next < actions.count {
            let action = actions[next]
            next += 1
            switch action {
            case .supersede(let agent): if let link = links[agent] { supersede(link) }
            case .releaseIntake(let intake, let reason): release(intake, reason)
            case .failRequest(let request, let reason):
                exchanges.removeValue(forKey: request)?.refuse(Refusal(reason))
            case .hand(let request, let intake): hand(request, intake)
            }
        }
        actions.removeAll(keepingCapacity: true)
        setTimer()
    }

    /// Replies that have begun may go on for a while; then the connection ends, whether or not the agent has closed it.
    private func supersede(_ link: AgentLink) {
        link.end(.superseded)
        loop.schedule(after: TunnelSite.supersededGrace) { link.connection.closeAfterFlush() }
    }

    private static let supersededGrace: Duration = .seconds(30)

    private func hand(_ request: UInt64, _ number: UInt64) {
        guard let exchange = exchanges[request] else { return }
        guard let intake = intakes.removeValue(forKey: number) else {
            pool.handFailed(request, at: loop.now, into: &actions)
            return act()
        }
        let context = RequestEnvelopeContext(
            requestID: exchange.id, forwardedFor: exchange.peerAddress,
            allowsOpaqueValues: intake.link.features.contains(.opaqueHeaders))
        var envelope = HTTPFields()
        do {
            try RequestEnvelope.encode(
                exchange.head, context, headerListByteCountMax: intake.link.connection.peerHeaderListByteCountMax,
                into: &envelope)
            exchange.hand(to: intake.stream, envelope: envelope)
        } catch {
            exchanges[request] = nil
            pool.requestAbandoned(request)
            exchange.refuse(Refusal(error))
            repark(intake, number)
        }
    }

    /// The intake carried nothing: it waits for the next request.
    private func repark(_ intake: ParkedIntake, _ number: UInt64) {
        intakes[number] = intake
        if case .hand(let request) = pool.intakeParked(number, by: intake.link.number, at: loop.now) { hand(request, number) }
    }

    private func release(_ number: UInt64, _ reason: IntakePool.ReleaseReason) {
        guard let intake = intakes.removeValue(forKey: number) else { return }
        var fields = HTTPFields()
        switch reason {
        case .idle: intake.stream.respond(HTTPResponseHead(status: 204), isEnd: true)
        case .superseded:
            fields.append("inkbox-reason", "intake-superseded")
            intake.stream.respond(HTTPResponseHead(status: 409, fields: fields), isEnd: true)
        case .closed: intake.stream.reset(.cancel)
        }
    }

    // MARK: Time

    private func setTimer() {
        guard let deadline = pool.nextDeadline else { return }
        if let timerDeadline, timerDeadline <= deadline { return }
        if let timer { loop.cancel(timer) }
        timerDeadline = deadline
        timer = loop.schedule(at: deadline) { [self] in timeIsUp() }
    }

    private func timeIsUp() {
        timer = nil
        timerDeadline = nil
        pool.advance(to: loop.now, into: &actions)
        act()
    }
}

extension Refusal {
    init(_ reason: IntakePool.FailureReason) {
        switch reason {
        case .agentOffline: self = .agentOffline
        case .agentBusy: self = .agentBusy
        case .agentDisconnected: self = .agentDisconnected
        case .responseDeadlineExceeded: self = .responseDeadlineExceeded
        case .tunnelInactive: self = .tunnelInactive
        }
    }

    init(_ error: EnvelopeError) {
        switch error {
        case .invalidHeader: self = .invalidHeader
        case .invalidRequestLine: self = .invalidRequest
        case .headersTooLarge: self = .headersTooLarge
        case .missingField, .repeatedField, .malformedField, .illegalField, .lengthMismatch: self = .invalidReply
        }
    }
}
