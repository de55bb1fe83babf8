internal import HTTPTransport
internal import LinuxIO
internal import TLS
internal import TunnelDomain
internal import TunnelWire

/// A request whose TLS ended in this agent, on its way to the same origin as in edge mode.
///
/// What edge and agent do one after the other to a request and its response there, is done here by the same code: the head is
/// put into an envelope and taken out again, so that no field gets through that would not get through there.
final class TerminatedExchange {
    private let front: PassthroughFront
    private let head: HTTPRequestHead
    private let clientAddress: String
    private var thirdParty: HTTPStream?
    private let number: UInt64
    private let requestID: String
    /// Origins and rules as they were when the request came.
    private let source: OriginSource
    private var envelope: RequestEnvelope?
    private var origin: (any ExchangeOrigin)?
    private var webSocket: (any WebSocketEnd)?
    /// The third party's key, when it asks for a WebSocket over HTTP/1.1.
    private var webSocketKey: String?
    private var isEndOfRequest = false
    private var hasResponded = false
    private var isResponseComplete = false
    private var carriesBody = true
    private var isOver = false
    private var timer: TimerID?

    // For the report.
    private let startedAt: MonotonicInstant
    private var status: Int?
    private var requestByteCount = 0
    private var responseByteCount = 0
    private var problem: String?

    private var core: AgentCore { front.core }

    init(_ front: PassthroughFront, _ head: HTTPRequestHead, clientAddress: String, on stream: HTTPStream) {
        self.front = front
        self.head = head
        self.clientAddress = clientAddress
        thirdParty = stream
        source = front.core.origins
        number = front.core.nextExchangeNumber()
        requestID = "tls-\(number)"
        startedAt = front.core.loop.now
    }

    func begin(isEnd: Bool) {
        front.exchangeBegan()
        core.register(self, number: number)
        isEndOfRequest = isEnd
        guard HostText.withoutPort(head.authority).lowercased() == core.configuration.publicHost else {
            return refuse(.misdirected)
        }
        guard core.mayBeginTerminated else { return refuse(.agentBusy) }
        let isWebSocket = head.upgradeProtocol == WebSocketHandshake.upgradeProtocol
        guard isWebSocket || head.method != "CONNECT" && head.method != "TRACE" else { return refuse(.unsupportedMethod) }
        let envelope: RequestEnvelope
        do { envelope = try self.envelope(isWebSocket: isWebSocket) } catch { return refuse(.unusableRequest, "\(error)") }
        self.envelope = envelope
        if let refusal = source.rules.refusal(of: envelope) { return answer(refusal, problem: "refused: \(refusal.code)") }
        guard ForwardPath.isSafe(envelope.path) else {
            return refuse(.unsafePath, "refused: the path could leave the served folder")
        }
        if isWebSocket { routeWebSocket(envelope) } else { route(envelope) }
    }

    private func envelope(isWebSocket: Bool) throws(EnvelopeError) -> RequestEnvelope {
        var head = head
        if isWebSocket { head.method = "GET" }
        let context = RequestEnvelopeContext(
            requestID: requestID, routeKind: isWebSocket ? .webSocketUpgrade : .webhook,
            webSocketID: isWebSocket ? requestID : nil, forwardedFor: clientAddress, allowsOpaqueValues: true,
            carriesTrailers: true)
        var fields = HTTPFields()
        try RequestEnvelope.encode(head, context, headerListByteCountMax: .max, into: &fields)
        return try RequestEnvelope(decoding: fields)
    }

    private func route(_ envelope: RequestEnvelope) {
        let origin = source.origin(for: self, number: number)
        self.origin = origin
        if !isEndOfRequest, head.fields.contains(.expect) { thirdParty?.sendInterim(HTTPResponseHead(status: 100)) }
        startTimer()
        origin.begin(
            OriginRequest(
                envelope: envelope, fields: source.rules.requestFields(of: envelope), isEnd: isEndOfRequest,
                acceptsTrailers: envelope.acceptsTrailers))
    }

    private func routeWebSocket(_ envelope: RequestEnvelope) {
        do throws(WebSocketHandshake.OfferError) {
            webSocketKey = try WebSocketHandshake.key(of: head)
        } catch {
            switch error {
            case .malformedKey: return refuse(.malformedUpgrade)
            case .unsupportedVersion: return refuse(.unsupportedWebSocketVersion)
            }
        }
        let origin = source.webSocketOrigin(for: self, number: number)
        self.origin = origin
        webSocket = origin
        startTimer()
        origin.begin(
            OriginRequest(
                envelope: envelope, fields: source.rules.requestFields(of: envelope), isEnd: true, acceptsTrailers: false))
    }

    private func startTimer() {
        let secondsMax = core.responseSecondsMax
        timer = core.loop.schedule(after: .seconds(secondsMax)) { [self] in
            timer = nil
            origin?.abort()
            refuse(.responseDeadlineExceeded, "the local program did not answer within \(secondsMax) s")
        }
    }

    private func stopTimer() {
        if let timer { core.loop.cancel(timer) }
        timer = nil
    }

    // MARK: Answering in the agent's own name

    private func refuse(_ notice: TunnelNotice, _ problem: String? = nil) {
        answer(.notice(notice), problem: problem ?? "refused: \(notice.code)")
    }

    private func answer(_ notice: AgentNotice, problem: String) {
        guard !isOver, !hasResponded, let thirdParty else { return }
        self.problem = problem
        origin = nil
        var (head, body) =
            switch (notice, envelope) {
            case (_, let envelope?): notice.answer(to: envelope)
            case (.notice(let notice), nil): notice.answer(requestID: requestID, to: self.head.fields)
            case (.text, nil): preconditionFailure("rules judge envelopes")
            }
        head.fields.append("inkbox-reason", notice.code)
        if head.status == 426 { head.fields.append("sec-websocket-version", WebSocketHandshake.version) }
        hasResponded = true
        isResponseComplete = true
        status = head.status
        stopTimer()
        guard self.head.method != "HEAD" else { return thirdParty.respond(head, isEnd: true) }
        responseByteCount = body.count
        thirdParty.respond(head, body: body)
    }

    // MARK: Ending

    private func complete() {
        guard !isOver else { return }
        isOver = true
        stopTimer()
        origin?.abort()
        origin = nil
        thirdParty = nil
        core.forget(number: number)
        core.emit(
            .request(
                RequestReport(
                    id: requestID, method: head.method, path: head.target, status: status, duration: core.loop.now - startedAt,
                    requestByteCount: requestByteCount, responseByteCount: responseByteCount, problem: problem)))
        front.exchangeOver()
    }
}

// MARK: - The third party

extension TerminatedExchange: HTTPStreamReceiver {
    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        guard let origin, !isOver else { return stream.consume(bytes.count) }
        requestByteCount += bytes.count
        origin.write(bytes)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        guard !isEndOfRequest else { return }
        isEndOfRequest = true
        origin?.finish(trailers: source.rules.requestTrailers(trailers))
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) { origin?.consume(byteCount) }

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        if let error, !isResponseComplete {
            status = nil
            problem = problem ?? "the third party went away: \(error)"
        }
        complete()
    }
}

// MARK: - The origin

extension TerminatedExchange: OriginListener {
    func originResponded(_ original: HTTPResponseHead) {
        guard !isOver, !hasResponded, let thirdParty else { return }
        let response = HTTPResponseHead(
            status: original.status, fields: source.rules.responseFields.applied(to: original.fields))
        let isHead = head.method == "HEAD"
        let envelope: ReplyEnvelope
        do {
            var fields = HTTPFields()
            let hasNoBody = ReplyEnvelope.hasNoBody(status: response.status, isHeadRequest: isHead)
            let length = hasNoBody ? 0 : response.fields.first(.contentLength).flatMap { Int($0) }
            try ReplyEnvelope.encode(
                response, requestID: requestID, contentLength: length, isHeadRequest: isHead, into: &fields)
            envelope = try ReplyEnvelope(decoding: fields, isHeadRequest: isHead)
        } catch {
            origin?.abort()
            return originFailed(
                OriginFailure(
                    reason: .badResponse, explanation: "the target's response cannot be passed on: \(error.explanation)"))
        }
        stopTimer()
        hasResponded = true
        status = envelope.status
        carriesBody = !ReplyEnvelope.hasNoBody(status: envelope.status, isHeadRequest: isHead)
        isResponseComplete = !carriesBody
        var fields = envelope.fields
        if let length = carriesBody ? envelope.contentLength : envelope.announcedLength {
            fields.append("content-length", String(length))
        }
        thirdParty.respond(HTTPResponseHead(status: envelope.status, fields: fields), isEnd: !carriesBody)
    }

    func originAcceptedWebSocket(_ accepted: HTTPFields) {
        guard !isOver, !hasResponded, let thirdParty, let webSocket else { return }
        var fields = HTTPFields()
        source.rules.responseFields.applied(to: accepted).forEach { known, name, value in
            if HopByHop.travelsToThirdParty(known, name) { fields.append(name: name, value: value) }
        }
        if let webSocketKey {
            fields.append("sec-websocket-accept", Base64.encode(SHA1.hash(WebSocketHandshake.acceptInput(for: webSocketKey))))
        }
        hasResponded = true
        isResponseComplete = true
        status = webSocketKey == nil ? 200 : 101
        // What edge and agent are to each other over a bridge, two ends of one exchange are here.
        let (edgeEnd, agentEnd) = LocalStream.pair(within: thirdParty.connection)
        let pump = WebSocketPump(
            .edge(messageByteCountMax: core.configuration.limits.webSocketMessageByteCountMax), peer: thirdParty,
            settings: WebSocketPumpSettings(), loop: core.loop, whenOver: {})
        thirdParty.respond(HTTPResponseHead(status: status ?? 200, fields: fields), isEnd: false)
        pump.attach(bridge: edgeEnd, takesWholesOnly: false)
        webSocket.bind(requestID, on: LocalBridge(agentEnd))
        complete()
    }

    func originWrote(_ bytes: Span<UInt8>) {
        guard !isOver, hasResponded, carriesBody, let thirdParty else { return }
        responseByteCount += bytes.count
        thirdParty.write(bytes)
    }

    func originFinished(trailers: HTTPFields?) {
        guard !isOver, hasResponded, !isResponseComplete else { return }
        isResponseComplete = true
        thirdParty?.finish(trailers: source.rules.responseTrailers(trailers))
    }

    func originSent(_ byteCount: Int) { thirdParty?.consume(byteCount) }

    func originFailed(_ failure: OriginFailure) {
        guard !isOver else { return }
        origin = nil
        guard hasResponded else {
            return answer(.notice(failure.reason.notice), problem: failure.explanation)
        }
        problem = failure.explanation
        if !isResponseComplete { thirdParty?.reset(failure.reset ?? .internalError) }
    }
}

/// The bridge of a WebSocket whose both ends are here.
private struct LocalBridge: WebSocketBridgeSource {
    private let end: LocalStream

    init(_ end: LocalStream) { self.end = end }

    func bind(webSocketID id: String, receiver: any HTTPStreamReceiver) -> HTTPStream? {
        end.receiver = receiver
        receiver.streamReceived(HTTPResponseHead(status: 200), on: end)
        return end
    }
}

extension TunnelNotice {
    fileprivate static let misdirected = TunnelNotice(
        status: 421, code: "misdirected", title: "Misdirected request",
        reason: "This connection was opened for another host.",
        forVisitor: "Open a new connection for this host; in a browser, load the page again.")
    fileprivate static let agentBusy = TunnelNotice(
        status: 503, code: "agent-busy", title: "Tunnel busy", reason: "The program behind this address has all hands full.",
        forVisitor: "Try again in a moment.")
    fileprivate static let unsupportedMethod = TunnelNotice(
        status: 501, code: "unsupported-method", title: "Method not supported",
        reason: "A request with this method cannot pass through a tunnel.", forVisitor: "Use another method.")
    fileprivate static let unusableRequest = TunnelNotice(
        status: 400, code: "invalid-request", title: "Invalid request",
        reason: "The request is not HTTP as this tunnel takes it.",
        forVisitor: "Check its method, its path and its fields.")
    fileprivate static let malformedUpgrade = TunnelNotice(
        status: 400, code: "malformed-upgrade", title: "Malformed upgrade",
        reason: "The request asks for a WebSocket without a proper Sec-WebSocket-Key.",
        forVisitor: "Send 16 random bytes in base64, as RFC 6455 section 4.1 says.")
    fileprivate static let unsupportedWebSocketVersion = TunnelNotice(
        status: 426, code: "unsupported-websocket-version", title: "WebSocket version not supported",
        reason: "The request asks for a WebSocket of another version than 13, the only one here.",
        forVisitor: "Send Sec-WebSocket-Version: 13.")
    fileprivate static let responseDeadlineExceeded = TunnelNotice(
        status: 504, code: "response-deadline-exceeded", title: "No answer in time",
        reason: "The program behind this address did not answer in time.",
        forVisitor: "Before you send it again, think of what it does: the request may have been carried out.")
}
