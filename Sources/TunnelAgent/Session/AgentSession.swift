internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelWire

/// How a session came to its end.
enum SessionEnd {
    case refused(status: Int, reason: String)
    case superseded
    /// Worth another try.
    case lost(reason: String, retryAfterSeconds: Int?)
}

/// One connection to the server, from the first packet to the last: hello, parked intakes, replies.
final class AgentSession {
    private enum Phase {
        case connecting, greeting
        case serving(HelloGrant)
        /// The server has said that it ends the connection.
        case leaving(HelloGrant)
        case ended
    }

    /// A pause before parking again after an answer that should not have come, so that no server is hammered.
    private static let parkPause: Duration = .milliseconds(500)
    /// Parked intakes of a connection that ends are the server's to end; this is how long it may take.
    private static let leavingGrace: Duration = .seconds(2)

    /// What this agent knows beyond the SDKs (data plane §10): to be told that a third party is gone before its reply has
    /// begun, values that are not UTF-8, bridges whose bytes it takes as they come, replies on the intake's own stream, TCP
    /// connections without frames, trailers, and to say that it leaves.
    private static let features =
        "cancel, opaque-headers, stream-bridges, \(repliesOnIntake), \(rawTCP), \(trailers), \(leaving)"
    private static let repliesOnIntake = "replies-on-intake"
    private static let rawTCP = "raw-tcp"
    private static let trailers = "trailers"
    private static let leaving = "leave"
    private static let sharing = "shared"

    let core: AgentCore
    private var phase = Phase.connecting
    private var addresses: ArraySlice<SocketAddress>
    private var channel: Channel?
    private var connection: HTTP2Connection?
    private var timer: TimerID?
    private var lastFailure = "no connection"

    private var parked: [Int: Exchange] = [:]
    private var freeSlots: [Int] = []
    private var isParkingPaused = false
    /// Nothing more is taken on this connection.
    private var hasLeft = false
    private var leaveTimer: TimerID?
    /// Exchanges whose intake came here: they break off with the connection.
    private var exchanges: [ObjectIdentifier: Exchange] = [:]
    private var isCloseScheduled = false
    private var closed: (() -> Void)?

    init(core: AgentCore, addresses: [SocketAddress]) {
        self.core = core
        self.addresses = addresses[...]
    }

    var isServing: Bool {
        guard case .serving = phase, let connection else { return false }
        return connection.mayBegin
    }

    /// Makes sure that the connection still stands.
    func probe() { connection?.probe(secondsMax: core.configuration.limits.probeSecondsMax) }

    var grant: HelloGrant? {
        switch phase {
        case .serving(let grant), .leaving(let grant): grant
        case .connecting, .greeting, .ended: nil
        }
    }
}

// MARK: - Connecting

extension AgentSession {
    func connect() {
        guard let address = addresses.popFirst() else { return end(.lost(reason: lastFailure, retryAfterSeconds: nil)) }
        do {
            channel = try Channel.connect(
                to: address, on: core.loop, tls: core.context, serverName: core.configuration.zone, handler: self)
            startTimer(seconds: core.configuration.limits.connectSecondsMax, "the connection")
        } catch {
            failed("\(core.configuration.edge): \(error)")
        }
    }

    private func startTimer(seconds: Int, _ what: String) {
        stopTimer()
        timer = core.loop.schedule(after: .seconds(seconds)) { [self] in channel?.abort(.timedOut(what)) }
    }

    private func stopTimer() {
        if let timer { core.loop.cancel(timer) }
        timer = nil
    }

    private func failed(_ reason: String) {
        stopTimer()
        channel = nil
        lastFailure = reason
        if case .ended = phase {
            closed?()
            return closed = nil
        }
        connect()
    }
}

extension AgentSession: ChannelHandler {
    func channelOpened() {
        guard let channel else { return }
        guard channel.applicationProtocol == "h2" else {
            return channel.abort(.aborted("\(core.configuration.edge) does not speak HTTP/2; is it a Culvert server?"))
        }
        addresses = []
        phase = .greeting
        var settings = HTTP2Settings()
        settings.headerListByteCountMax = 128 * 1024
        settings.headerFieldCountMax = 256
        settings.pingIntervalSeconds = core.configuration.limits.pingIntervalSeconds
        settings.pingTimeoutSeconds = core.configuration.limits.pingTimeoutSeconds
        connection = HTTP2Connection.client(channel, owner: self, settings: settings)
        startTimer(seconds: core.configuration.limits.helloSecondsMax, "the answer to hello")
        greet()
    }

    func channelReceived(_ bytes: Span<UInt8>) {}
    func channelReachedEnd() { channel?.close() }
    func channelDrained() {}

    /// Only before HTTP/2 has taken the channel over.
    func channelClosed(_ error: ChannelError?) {
        failed("\(core.configuration.edge): \(error ?? .closedByPeer)")
    }
}

extension AgentSession: HTTP2ClientOwner {
    func connectionReady(_ connection: HTTP2Connection) {}

    func connectionGoingAway(_ connection: HTTP2Connection, errorCode: UInt32, debugData: [UInt8]) {
        // On a connection that is being left the signal only says that the new one has been accepted.
        guard let grant, case .serving = phase else { return }
        switch GoAwayVerdict(errorCode: errorCode, debugData: debugData) {
        case .superseded: end(.superseded)
        case .broken(let reason): end(.lost(reason: reason, retryAfterSeconds: nil))
        case .handOver(let reason):
            phase = .leaving(grant)
            core.sessionIsLeaving(self, reason: reason)
            closeIfDone()
        }
    }

    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        let reason = error.map { "\($0)" } ?? "the server closed the connection"
        self.connection = nil
        channel = nil
        end(.lost(reason: reason, retryAfterSeconds: nil))
        closed?()
        closed = nil
    }
}

// MARK: - Hello

extension AgentSession {
    private func greet() {
        var fields = credentialFields()
        if let size = core.configuration.poolSize { fields.append("x-pool-size", String(size)) }
        fields.append("x-culvert-features", Self.features + (core.configuration.isShared ? ", \(Self.sharing)" : ""))
        fields.append("content-length", "0")
        let hello = HelloExchange { [self] verdict in greeted(verdict) }
        if connection?.request(head("POST", "/_system/hello", fields), isEnd: true, receiver: hello) == nil {
            channel?.abort(.aborted("the server takes no requests"))
        }
    }

    private func greeted(_ verdict: HelloVerdict) {
        guard case .greeting = phase else { return }
        stopTimer()
        switch verdict {
        case .connected(let grant):
            phase = .serving(grant)
            freeSlots = (0..<grant.poolSize).reversed()
            parkIntakes()
            core.sessionConnected(self, grant)
        case .refused(let status, let reason): end(.refused(status: status, reason: reason))
        case .superseded: end(.superseded)
        case .transient(let reason, let seconds): end(.lost(reason: reason, retryAfterSeconds: seconds))
        }
    }

    private func credentialFields() -> HTTPFields {
        var fields = HTTPFields()
        fields.append("x-tunnel-id", core.configuration.tunnelID)
        switch core.configuration.credential {
        case .connectSecret(let secret): fields.append("x-tunnel-secret", secret)
        case .apiKey(let key): fields.append("x-api-key", key)
        }
        return fields
    }

    private func head(_ method: String, _ target: String, _ fields: HTTPFields) -> HTTPRequestHead {
        HTTPRequestHead(method: method, target: target, authority: core.configuration.zone, scheme: "https", fields: fields)
    }
}

// MARK: - Intakes and replies

extension AgentSession {
    /// Keeps every free slot parked, as long as there is room for more requests.
    func parkIntakes() {
        guard case .serving(let grant) = phase, !isParkingPaused, !hasLeft else { return }
        while !core.isFull, let slot = freeSlots.popLast() {
            var fields = HTTPFields()
            fields.append("x-tunnel-id", core.configuration.tunnelID)
            fields.append("x-owner-token", grant.ownerToken)
            fields.append("x-pool-slot", String(slot))
            let mayReplyThere = grant.features.contains(Self.repliesOnIntake)
            if !mayReplyThere { fields.append("content-length", "0") }
            let exchange = Exchange(
                session: self, slot: slot, mayReplyOnIntake: mayReplyThere,
                carriesTrailers: grant.features.contains(Self.trailers))
            let stream = connection?.request(
                head("POST", "/_system/intake", fields), isEnd: !mayReplyThere, receiver: exchange)
            guard let stream else { return freeSlots.append(slot) }
            exchange.parked(on: stream)
            parked[slot] = exchange
        }
    }

    /// Takes no more work, and lets the server know where it can be told: then it releases the intakes, and whatever it gave
    /// out before has come by then.
    func leave() {
        hasLeft = true
        guard case .serving(let grant) = phase, grant.features.contains(Self.leaving), !parked.isEmpty else { return unpark() }
        var fields = HTTPFields()
        fields.append("x-tunnel-id", core.configuration.tunnelID)
        fields.append("x-owner-token", grant.ownerToken)
        fields.append("content-length", "0")
        let answer = LeaveExchange { [self] wasAccepted in if !wasAccepted { unpark() } }
        guard connection?.request(head("POST", "/_system/leave", fields), isEnd: true, receiver: answer) != nil else {
            return unpark()
        }
        leaveTimer = core.loop.schedule(after: .seconds(core.configuration.limits.leaveSecondsMax)) { [self] in
            leaveTimer = nil
            unpark()
        }
    }

    /// Whether an intake may still bring a request.
    var mayBringMore: Bool { !parked.isEmpty }

    /// Takes every parked intake back: nothing more is taken.
    private func unpark() {
        freeSlots = []
        for exchange in parked.values { exchange.unpark() }
        parked = [:]
        toldNothingMore()
    }

    /// After leaving: ends the wait once no intake is parked any more.
    private func toldNothingMore() {
        guard hasLeft, parked.isEmpty else { return }
        if let leaveTimer { core.loop.cancel(leaveTimer) }
        leaveTimer = nil
        core.sessionBringsNothingMore()
    }

    /// An intake brought a request: its slot parks again while that goes on, so that the pool bounds only what waits.
    ///
    /// As long as half of the pool is parked, the slot waits for the head of a reply, or the end of a request: both then leave
    /// in one packet, which with one request at a time saves each side a wake-up in three.
    func intakeFilled(_ exchange: Exchange, slot: Int) {
        parked[slot] = nil
        exchanges[ObjectIdentifier(exchange)] = exchange
        freeSlots.append(slot)
        if freeSlots.count > parked.count { parkIntakes() }
        toldNothingMore()
    }

    /// An intake ended without a request.
    func intakeEnded(_ exchange: Exchange, slot: Int, _ outcome: IntakeOutcome) {
        guard parked.removeValue(forKey: slot) != nil else { return }
        freeSlots.append(slot)
        guard !hasLeft else { return toldNothingMore() }
        switch outcome {
        case .idle: parkIntakes()
        case .superseded: if case .serving = phase { end(.superseded) }
        case .tokenInvalid: end(.lost(reason: "the server no longer knows this connection", retryAfterSeconds: nil))
        case .unexpected: pauseParking()
        }
    }

    private func pauseParking() {
        guard !isParkingPaused, case .serving = phase else { return }
        isParkingPaused = true
        core.loop.schedule(after: Self.parkPause) { [self] in
            guard case .serving = phase else { return }
            isParkingPaused = false
            parkIntakes()
        }
    }

    /// Begins a reply; nil when the connection takes none.
    func reply(
        requestID: String, isEnd: Bool, receiver: any HTTPStreamReceiver, _ append: (inout HTTPFields) -> Void
    ) -> HTTPStream? {
        var fields = credentialFields()
        append(&fields)
        return connection?.request(head("POST", "/_system/response/\(requestID)", fields), isEnd: isEnd, receiver: receiver)
    }

    /// Binds this end of a WebSocket; nil when the connection takes nothing more.
    func bind(webSocketID id: String, receiver: any HTTPStreamReceiver) -> HTTPStream? {
        var fields = credentialFields()
        fields.append("inkbox-ws-id", id)
        fields.append("sec-websocket-version", WebSocketHandshake.version)
        var head = head("CONNECT", "/_system/ws/\(id)", fields)
        head.upgradeProtocol = "inkbox-tunnel-ws"
        return connection?.request(head, isEnd: false, receiver: receiver)
    }

    /// Binds this end of a TCP connection; nil when the connection takes nothing more.
    func bind(tcpID id: String, receiver: any HTTPStreamReceiver) -> HTTPStream? {
        var fields = credentialFields()
        fields.append("inkbox-tcp-id", id)
        fields.append("sec-websocket-version", WebSocketHandshake.version)
        fields.append("sec-websocket-protocol", "inkbox-tunnel-tcp")
        var head = head("CONNECT", "/_system/tcp/\(id)", fields)
        head.upgradeProtocol = "inkbox-tunnel-tcp"
        return connection?.request(head, isEnd: false, receiver: receiver)
    }

    /// How bytes travel on the bridge of a TCP connection.
    var framing: TCPBridgeFraming { grant?.features.contains(Self.rawTCP) == true ? .raw : .frames(.client) }

    func exchangeEnded(_ exchange: Exchange) {
        exchanges[ObjectIdentifier(exchange)] = nil
        closeIfDone()
    }
}

// MARK: - Ending

extension AgentSession {
    /// Closes a connection that is being left once its replies are in and its WebSockets have ended.
    func closeIfDone() {
        guard case .leaving = phase, exchanges.isEmpty, !isCloseScheduled else { return }
        isCloseScheduled = true
        core.loop.schedule(after: Self.leavingGrace) { [self] in
            isCloseScheduled = false
            guard case .leaving = phase, exchanges.isEmpty else { return }
            if hasBridges { closeIfDone() } else { close() }
        }
    }

    /// Streams beside parked intakes, when no exchange is under way: bridges, which cannot move.
    private var hasBridges: Bool { connection.map { $0.openStreamCount > parked.count } ?? false }

    /// Closes the connection, whatever is under way.
    func close() { end(.lost(reason: "closed", retryAfterSeconds: nil)) }

    private func end(_ end: SessionEnd) {
        let wasLeaving: Bool
        switch phase {
        case .ended: return
        case .leaving: wasLeaving = true
        case .connecting, .greeting, .serving: wasLeaving = false
        }
        phase = .ended
        stopTimer()
        if let leaveTimer { core.loop.cancel(leaveTimer) }
        leaveTimer = nil
        for exchange in parked.values { exchange.unpark() }
        parked = [:]
        let interrupted = exchanges.values
        exchanges = [:]
        // While another connection is on its way the reply can still be delivered there; otherwise the server has answered 502.
        for exchange in interrupted where !wasLeaving { exchange.abort("the connection to the server was lost") }
        if let connection { connection.closeOnceHeard() } else { channel?.close() }
        core.sessionEnded(self, end)
    }

    /// Calls the closure when the connection of a session that has ended is closed, at once if it is already.
    func whenClosed(_ body: @escaping () -> Void) {
        guard let channel, !channel.isClosed else { return body() }
        closed = body
    }
}
