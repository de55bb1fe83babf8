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
    /// begun, and values that are not UTF-8.
    private static let features = "cancel, opaque-headers"

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
    /// Exchanges whose intake came here: they break off with the connection.
    private var exchanges: [ObjectIdentifier: Exchange] = [:]
    private var isCloseScheduled = false

    init(core: AgentCore, addresses: [SocketAddress]) {
        self.core = core
        self.addresses = addresses[...]
    }

    var isServing: Bool {
        guard case .serving = phase, let connection else { return false }
        return connection.mayBegin
    }

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
        if case .ended = phase { return }
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
        end(.lost(reason: reason, retryAfterSeconds: nil))
    }
}

// MARK: - Hello

extension AgentSession {
    private func greet() {
        var fields = credentialFields()
        if let size = core.configuration.poolSize { fields.append("x-pool-size", String(size)) }
        fields.append("x-culvert-features", Self.features)
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
        guard case .serving(let grant) = phase, !isParkingPaused else { return }
        while !core.isFull, let slot = freeSlots.popLast() {
            var fields = HTTPFields()
            fields.append("x-tunnel-id", core.configuration.tunnelID)
            fields.append("x-owner-token", grant.ownerToken)
            fields.append("x-pool-slot", String(slot))
            fields.append("content-length", "0")
            let exchange = Exchange(session: self, slot: slot)
            let stream = connection?.request(head("POST", "/_system/intake", fields), isEnd: true, receiver: exchange)
            guard let stream else { return freeSlots.append(slot) }
            exchange.parked(on: stream)
            parked[slot] = exchange
        }
    }

    /// Ends every parked intake: nothing more is taken.
    func unpark() {
        freeSlots = []
        isParkingPaused = true
        for exchange in parked.values { exchange.unpark() }
        parked = [:]
    }

    /// An intake brought a request: its slot parks again at once, so that the pool bounds only what waits.
    func intakeFilled(_ exchange: Exchange, slot: Int) {
        parked[slot] = nil
        exchanges[ObjectIdentifier(exchange)] = exchange
        freeSlots.append(slot)
        parkIntakes()
    }

    /// An intake ended without a request.
    func intakeEnded(_ exchange: Exchange, slot: Int, _ outcome: IntakeOutcome) {
        guard parked.removeValue(forKey: slot) != nil else { return }
        freeSlots.append(slot)
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

    func exchangeEnded(_ exchange: Exchange) {
        exchanges[ObjectIdentifier(exchange)] = nil
        closeIfDone()
    }
}

// MARK: - Ending

extension AgentSession {
    /// Closes a connection that is being left once its replies are in.
    func closeIfDone() {
        guard case .leaving = phase, exchanges.isEmpty, !isCloseScheduled else { return }
        isCloseScheduled = true
        core.loop.schedule(after: Self.leavingGrace) { [self] in
            isCloseScheduled = false
            if case .leaving = phase, exchanges.isEmpty { close() }
        }
    }

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
        parked = [:]
        let interrupted = exchanges.values
        exchanges = [:]
        // While another connection is on its way the reply can still be delivered there; otherwise the server has answered 502.
        for exchange in interrupted where !wasLeaving { exchange.abort("the connection to the server was lost") }
        connection?.closeAfterFlush()
        channel?.close()
        connection = nil
        channel = nil
        core.sessionEnded(self, end)
    }
}
