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
    let loop: Loop
    let webSocketSettings: WebSocketSettings
    let passthroughSettings: PassthroughSettings
    let tally: EdgeTally
    var pool: IntakePool
    private var links: [UInt64: AgentLink] = [:]
    var intakes: [UInt64: ParkedIntake] = [:]
    private var exchanges: [UInt64: Exchange] = [:]
    private var webSockets: [String: WebSocketSession] = [:]
    /// Third parties whose TLS the agent ends, by the number of their arrival.
    var passthrough: [UInt64: PassthroughSession] = [:]
    var actions: [IntakePool.Action] = []
    private var isActing = false
    private var timer: TimerID?
    private var timerDeadline: MonotonicInstant?
    private var lastIntake: UInt64 = 0
    private(set) var connectionCount = 0
    /// Set once another process serves the tunnel: takes what no agent here was given.
    private var onward: ((Exchange) -> Void)?
    private var handedOverAt = MonotonicInstant(nanoseconds: 0)
    /// Told when a request or a WebSocket has ended that no connection to the tunnel has outlived.
    var whenEmpty: () -> Void = {}

    struct ParkedIntake {
        var stream: HTTPStream
        var link: AgentLink
    }

    init(tunnel: Tunnel, settings: EdgeSettings, tally: EdgeTally, loop: Loop) {
        self.tunnel = tunnel
        webSocketSettings = settings.webSocket
        passthroughSettings = settings.passthrough
        self.tally = tally
        self.loop = loop
        pool = IntakePool(limits: settings.pool)
    }

    /// Nothing here would be missed.
    var isEmpty: Bool { links.isEmpty && exchanges.isEmpty && webSockets.isEmpty && connectionCount == 0 }
    var hasWork: Bool { !exchanges.isEmpty || passthrough.values.contains { $0.isWaiting } }
    var openExchangeCount: Int { exchanges.count }
    var parkedCount: Int { pool.parkedCount }
    var queuedCount: Int { pool.queuedCount }
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
        if !exchange.isBroken { tally.figures.abandonedCount += 1 }
        guard exchange.wasHanded, !exchange.hasReply, !exchange.endIsSeen, let agent, let link = links[agent] else { return }
        cancel(exchange.id, at: link)
    }

    /// The request never left: it goes to the next intake, if there is one.
    func handFailed(_ exchange: Exchange) {
        if onward != nil { return sendOnward(exchange) }
        pool.handFailed(exchange.number, at: loop.now, into: &actions)
        act()
    }

    /// The agent reset a stream that has carried a request, or a TLS connection's offer, to it as a whole.
    func intakeTakenBack(stream id: Int32, of link: AgentLink, wasRefused: Bool) {
        func isMeant(_ number: UInt64) -> Bool { pool.agent(of: number) == link.number }
        if let exchange = exchanges.values.first(where: { $0.intakeID == id && isMeant($0.number) }) {
            exchange.takenBack(wasRefused: wasRefused)
        } else if wasRefused, let session = passthrough.values.first(where: { $0.intakeID == id && isMeant($0.number) }) {
            // After any other code the agent may be about to join: nothing more was to come on the intake.
            session.takenBack()
        }
    }

    func exchangeOver(_ exchange: Exchange) {
        exchanges[exchange.number] = nil
        tellAgents()
        if isEmpty { whenEmpty() }
    }

    /// Tells the agent that the request is of no use any more, if it knows that word.
    private func cancel(_ id: String, at link: AgentLink) {
        guard link.features.contains(.cancel) else { return }
        if let number = intakes.lazy.filter({ $0.value.link === link }).map(\.key).min(),
            let intake = intakes.removeValue(forKey: number)
        {
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
        let decision = pool.agentConnected(
            link.number, poolSize: link.poolSize, isShared: link.features.contains(.shared), at: loop.now, into: &actions)
        switch decision {
        case .serve, .join: links[link.number] = link
        case .refuseTooManyTakeovers, .refuseTooManySharing, .refuseClosed: break
        }
        act()
        return decision
    }

    /// The IP addresses of the agents that a new one would take the tunnel over from.
    var servingAddresses: [String] { linksInOrder.filter { !$0.isEnding }.map(\.address) }

    /// In the order in which they came, so that whatever concerns all of them happens in the same order every time.
    private var linksInOrder: [AgentLink] { links.values.sorted { $0.number < $1.number } }

    /// The agents that get new requests.
    var servingAgentCount: Int { pool.servingAgents.count }

    /// The agent wants no more work; others that share the tunnel get it, or whoever comes next.
    func leave(_ link: AgentLink) {
        pool.agentLeaving(link.number, into: &actions)
        act()
    }

    func linkLost(_ link: AgentLink) {
        guard links.removeValue(forKey: link.number) != nil else { return }
        for (number, intake) in intakes where intake.link === link { intakes[number] = nil }
        if link.isMoving { return pool.agentMoved(link.number, at: loop.now) }
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

    /// The agent's reply broke off after its head; the reason is for the third party.
    func replyBroken(_ exchange: Exchange, _ reason: StreamReset? = nil) {
        pool.replyFinished(exchange.number)
        tally.figures.brokenReplyCount += 1
        exchange.breakOff(reason)
    }

    /// The agent took the request, and gave it up before its reply began.
    func replyRefused(_ exchange: Exchange) {
        if case .take = replyArrived(exchange.number) { replyInvalid(exchange) }
    }

    /// The agent took the intake back, and the request cannot be given to another.
    func givenUp(_ exchange: Exchange) {
        guard case .take = replyArrived(exchange.number) else { return }
        pool.replyFinished(exchange.number)
        exchange.refuse(.agentDisconnected)
    }

    /// The agent's reply was no HTTP.
    func replyInvalid(_ exchange: Exchange) {
        pool.replyFinished(exchange.number)
        exchange.refuse(.invalidReply)
    }

    // MARK: WebSockets

    func webSocket(_ id: String) -> WebSocketSession? { webSockets[id] }
    func webSocketOpened(_ session: WebSocketSession) {
        webSockets[session.id] = session
        tally.figures.webSocketsOpenedCount += 1
    }

    func webSocketOver(_ session: WebSocketSession) {
        webSockets[session.id] = nil
        tellAgents()
        if isEmpty { whenEmpty() }
    }

    var webSocketCount: Int { webSockets.count }
    /// The bytes that each WebSocket keeps for either of its ends.
    var webSocketByteCounts: [Int] { webSockets.values.map(\.heldByteCount) }

    func closeWebSockets(_ code: WebSocketCloseCode) {
        // In the order in which they were asked for: their ids are of one length.
        for session in webSockets.values.sorted(by: { $0.id < $1.id }) { session.close(WebSocketClose(code)) }
    }

    // MARK: Handing over

    /// Another process serves the tunnel from now on: what no agent has goes there, and so do the agents in time.
    func handOver(onward: @escaping (Exchange) -> Void) {
        self.onward = onward
        handedOverAt = loop.now
        for link in linksInOrder { pool.agentDraining(link.number) }
        for exchange in exchanges.values.sorted(by: { $0.number < $1.number }) where !exchange.wasHanded {
            sendOnward(exchange)
        }
        tellAgents()
        loop.schedule(after: AgentFarewell.patience) { [self] in tellAgents() }
    }

    private func sendOnward(_ exchange: Exchange) {
        pool.requestAbandoned(exchange.number)
        exchanges[exchange.number] = nil
        onward?(exchange)
    }

    /// Tells the agents to go that lose nothing by it.
    private func tellAgents() {
        guard onward != nil else { return }
        for link in linksInOrder where !link.isMoving {
            let mayBeTold = link.farewell.mayBeTold(
                inFlightCount: pool.inFlightCount(of: link.number),
                passingCount: exchanges.values.count { $0.isPassing && pool.agent(of: $0.number) == link.number },
                bridgeCount: webSockets.count, waited: loop.now - handedOverAt)
            if mayBeTold { link.move() }
        }
    }

    /// No agent has this number.
    private static let expectedAgent: UInt64 = 0

    /// The agent that another process has had is about to come: requests wait for it.
    func expectAgent() { pool.agentExpected(as: Self.expectedAgent) }

    /// It has not come.
    func expectNoAgent() {
        pool.agentLost(Self.expectedAgent, at: loop.now, into: &actions)
        act()
    }

    // MARK: The tunnel's own changes

    func close(_ ending: AgentLink.Ending) {
        closeWebSockets(.goingAway)
        closePassthrough(.goingAway)
        pool.close(at: loop.now, into: &actions)
        act()
        for link in linksInOrder {
            link.end(ending)
            link.connection.closeAfterFlush()
        }
    }

    func reopen() { pool.reopen() }

    /// Ends the connections that were opened with this key.
    func keyRevoked(_ keyID: UUIDValue) {
        for link in linksInOrder where link.keyID == keyID {
            linkLost(link)
            link.end(.keyRevoked)
            link.connection.closeAfterFlush()
        }
    }

    func dismissLinks() {
        closeWebSockets(.draining)
        closePassthrough(.draining)
        for link in linksInOrder {
            link.end(.drain)
            link.connection.closeAfterFlush()
        }
    }

    // MARK: Acting

    func act() {
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
                passthrough[request]?.refuse()
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
        tally.figures.supersededCount += 1
        loop.schedule(after: TunnelSite.supersededGrace) { link.connection.closeAfterFlush() }
    }

    private static let supersededGrace: Duration = .seconds(30)

    private func hand(_ request: UInt64, _ number: UInt64) {
        if let session = passthrough[request] { return hand(session, number) }
        guard let exchange = exchanges[request] else { return }
        guard let intake = intakes.removeValue(forKey: number) else {
            pool.handFailed(request, at: loop.now, into: &actions)
            return act()
        }
        let features = intake.link.features
        // A call of gRPC without its status in the trailers is a call without an answer.
        guard features.contains(.trailers) || !exchange.head.fields.areOfGRPCCall else {
            return giveUp(exchange, .agentWithoutTrailers, intake, number)
        }
        let context = RequestEnvelopeContext(
            requestID: exchange.id, routeKind: exchange.webSocket == nil ? .webhook : .webSocketUpgrade,
            webSocketID: exchange.webSocket?.id, forwardedFor: exchange.peerAddress,
            allowsOpaqueValues: features.contains(.opaqueHeaders), carriesTrailers: features.contains(.trailers))
        var envelope = HTTPFields()
        do {
            try RequestEnvelope.encode(
                exchange.head, context, headerListByteCountMax: intake.link.connection.peerHeaderListByteCountMax,
                into: &envelope)
            exchange.hand(
                to: intake.stream, envelope: envelope, mayReplyThere: features.contains(.repliesOnIntake),
                carriesTrailers: features.contains(.trailers))
        } catch {
            giveUp(exchange, Refusal(error), intake, number)
        }
    }

    /// Refuses a request that this intake's agent cannot take.
    private func giveUp(_ exchange: Exchange, _ refusal: Refusal, _ intake: ParkedIntake, _ number: UInt64) {
        exchanges[exchange.number] = nil
        pool.requestAbandoned(exchange.number)
        exchange.refuse(refusal)
        repark(intake, number)
    }

    /// The intake carried nothing: it waits for the next request.
    func repark(_ intake: ParkedIntake, _ number: UInt64) {
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

    func setTimer() {
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
        case .tooManyRequests: self = .tooManyRequests
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
        case .missingField, .repeatedField, .malformedField, .illegalField, .lengthMismatch, .malformedReply:
            self = .invalidReply
        }
    }
}
