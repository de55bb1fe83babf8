internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelWire

/// One request through the tunnel: an intake that waits for it, then the two bodies in flight between server and origin.
///
/// Bytes pass through without a copy of their own or a task: what arrives on one side is written to the other, and credit goes
/// back when the other side has sent it on. So the slowest of the four ends sets the pace, and memory stays bounded.
final class Exchange {
    private enum Phase {
        /// The intake is parked; nothing has come.
        case parked
        /// A request is being served.
        case serving
        case over
    }

    private let core: AgentCore
    private var session: AgentSession?
    private let slot: Int
    private var phase = Phase.parked
    private var number: UInt64 = 0

    // The request.
    private var intake: HTTPStream?
    private var envelope: RequestEnvelope?
    /// What answered when the request came: a change of the agent's rules or target is for later requests.
    private var source: OriginSource?
    private var origin: (any ExchangeOrigin)?
    /// The same, when the third party asks for a WebSocket.
    private var webSocket: (any WebSocketEnd)?
    private var hasBegunOrigin = false
    private var isRequestEnded = false

    // The response.
    /// Where the reply goes: a stream of its own, or the intake's when the server knows `replies-on-intake`.
    private var reply: HTTPStream?
    private let mayReplyOnIntake: Bool
    /// The server knows the feature `trailers`.
    private let carriesTrailers: Bool
    /// Bytes of a head on the intake's stream that have not left: they are nobody's to be credited.
    private var unsentHeadByteCount = 0
    private var responseHead: HTTPResponseHead?
    /// The agent's own `inkbox-reason`.
    private var reason: String?
    /// Response bytes that came before there was a connection for the reply.
    private var unrepliedBody: [UInt8] = []
    private var isResponseEnded = false
    private var responseTrailers: HTTPFields?
    private var isWebSocketAccepted = false
    /// The server has taken the whole reply.
    private var replyStatus = 0

    // For the report.
    private var startedAt: MonotonicInstant
    private var requestByteCount = 0
    private var responseByteCount = 0
    private var problem: String?
    private var isHomeless = false
    private var homelessSince: MonotonicInstant

    /// - Parameters:
    ///   - mayReplyOnIntake: the intake's stream is left open for the reply.
    ///   - carriesTrailers: the server takes trailers, and passes them on.
    init(session: AgentSession, slot: Int, mayReplyOnIntake: Bool, carriesTrailers: Bool) {
        core = session.core
        self.carriesTrailers = carriesTrailers
        self.mayReplyOnIntake = mayReplyOnIntake
        self.session = session
        self.slot = slot
        startedAt = session.core.loop.now
        homelessSince = startedAt
    }

    func parked(on stream: HTTPStream) { intake = stream }

    /// Takes the intake back before anything came.
    func unpark() {
        guard case .parked = phase else { return }
        phase = .over
        // Refused means: not begun. A request that is on its way already goes to the next intake.
        intake?.reset(mayReplyOnIntake ? .refused : .cancel)
        intake = nil
        session = nil
    }
}

// MARK: - Streams

extension Exchange: HTTPStreamReceiver {
    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard head.status >= 200 else { return }
        switch phase {
        case .parked: intakeAnswered(head, on: stream)
        case .serving where stream === reply:
            replyStatus = head.status
            if head.status >= 400 { thirdPartyGone("the server no longer wanted the reply (\(head.status))") }
        case .serving, .over: break
        }
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        guard case .serving = phase, stream === intake, let origin else { return stream.consume(bytes.count) }
        beginOrigin(isEnd: false)
        requestByteCount += bytes.count
        origin.write(bytes)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        guard case .serving = phase, stream === intake, !isRequestEnded else { return }
        isRequestEnded = true
        guard let origin else { return }
        let trailers = carriesTrailers ? source?.rules.requestTrailers(trailers) : nil
        if !hasBegunOrigin {
            beginOrigin(isEnd: trailers == nil)
            if trailers == nil { return }
        }
        origin.finish(trailers: trailers)
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {
        guard stream === reply else { return }
        let headByteCount = min(byteCount, unsentHeadByteCount)
        unsentHeadByteCount -= headByteCount
        if byteCount > headByteCount { origin?.consume(byteCount - headByteCount) }
        endRequestEarly()
    }

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        if stream === intake, stream === reply {
            sharedClosed(error, wasSent: stream.unsentByteCount == 0)
        } else if stream === intake {
            intakeClosed(error)
        } else if stream === reply {
            replyClosed(error)
        }
    }

    private func intakeClosed(_ error: StreamError?) {
        intake = nil
        switch phase {
        case .parked: intakeEnded(error == nil ? .idle : .unexpected)
        case .serving where mayReplyOnIntake:
            switch error {
            // The reply may find another connection; if there is none, the session says so.
            case .connectionLost, nil: break
            case .cancelledByPeer, .malformed, .refusedByPeer, .cancelled: thirdPartyGone("the third party went away")
            }
        case .serving:
            if let error, !isRequestEnded { thirdPartyGone("the third party went away: \(error)") }
        case .over: break
        }
    }

    /// The stream that carried both ways is over.
    private func sharedClosed(_ error: StreamError?, wasSent: Bool) {
        intake = nil
        reply = nil
        guard case .serving = phase else { return }
        if isResponseEnded, wasSent {
            complete(status: responseHead?.status)
        } else {
            thirdPartyGone(error.map { "the third party went away: \($0)" } ?? "the third party went away")
        }
    }

    private func replyClosed(_ error: StreamError?) {
        reply = nil
        guard case .serving = phase else { return }
        if isResponseEnded, error == nil || (200...299).contains(replyStatus) {
            // What the third party gets for a WebSocket that was accepted is 101, or 200 over HTTP/2.
            complete(status: isWebSocketAccepted ? 101 : responseHead?.status)
        } else {
            thirdPartyGone(error.map { "the third party went away: \($0)" } ?? "the third party went away")
        }
    }
}

// MARK: - The request

extension Exchange {
    private func intakeAnswered(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard head.status == 200 else { return intakeEnded(IntakeOutcome(head)) }
        if head.fields.first(.inkboxRouteKind) == "cancel", let id = head.fields.first(.inkboxRequestId) {
            core.cancel(requestID: id)
            return intakeEnded(.idle)
        }
        guard let envelope = try? RequestEnvelope(decoding: head.fields) else { return intakeEnded(.unexpected) }
        phase = .serving
        self.envelope = envelope
        startedAt = core.loop.now
        // Only the response to a plain request can come back here.
        if envelope.routeKind != .webhook, mayReplyOnIntake { stream.finish(trailers: nil) }
        number = core.begin(self)
        session?.intakeFilled(self, slot: slot)
        route(envelope)
    }

    /// The intake brought no request.
    private func intakeEnded(_ outcome: IntakeOutcome) {
        phase = .over
        let session = session
        self.session = nil
        session?.intakeEnded(self, slot: slot, outcome)
    }

    private func route(_ envelope: RequestEnvelope) {
        let source = core.origins
        self.source = source
        // Those of a TLS connection come with each of its requests.
        if envelope.routeKind != .tcpStream, let refusal = source.rules.refusal(of: envelope) {
            return answer(refusal, problem: "refused: \(refusal.code)")
        }
        switch envelope.routeKind {
        case .webhook where !ForwardPath.isSafe(envelope.path), .webSocketUpgrade where !ForwardPath.isSafe(envelope.path):
            answer(.notice(.unsafePath), problem: "refused: the path could leave the served folder")
        case .webhook: serve(envelope, source)
        case .webSocketUpgrade:
            let origin = source.webSocketOrigin(for: self, number: number)
            self.origin = origin
            webSocket = origin
            beginOrigin(isEnd: true)
        case .tcpStream:
            problem = core.carry(envelope, on: session)
            complete(status: nil)
        }
    }

    private func serve(_ envelope: RequestEnvelope, _ source: OriginSource) {
        origin = source.origin(for: self, number: number)
        if let length = envelope.contentLength {
            beginOrigin(isEnd: length == 0)
        } else if carriesTrailers || !Self.methodsWithoutBody.contains(envelope.method) {
            // A body that is announced by nothing: if none has come by the end of this turn, it is one that is still to come.
            core.loop.atTurnEnd(self)
        }
    }

    /// With these methods a body is so rare that the request waits until it is known whether there is one; a server of ours
    /// says so with the head.
    private static let methodsWithoutBody: Set<String> = ["GET", "HEAD", "OPTIONS", "DELETE", "TRACE"]

    private func beginOrigin(isEnd: Bool) {
        guard !hasBegunOrigin, let envelope, let origin, let source else { return }
        hasBegunOrigin = true
        origin.begin(
            OriginRequest(
                envelope: envelope, fields: source.rules.requestFields(of: envelope), isEnd: isEnd,
                acceptsTrailers: carriesTrailers && envelope.acceptsTrailers))
    }
}

extension Exchange: TurnEndHandler {
    func turnEnded() {
        guard case .serving = phase else { return }
        beginOrigin(isEnd: false)
    }
}

// MARK: - The response, told by the origin

extension Exchange {
    func originResponded(_ head: HTTPResponseHead) {
        guard case .serving = phase, responseHead == nil else { return }
        responseHead = edited(head)
        if let envelope, ReplyEnvelope.hasNoBody(status: head.status, isHeadRequest: envelope.method == "HEAD") {
            isResponseEnded = true
        }
        openReply()
    }

    /// The target has opened a WebSocket; these fields go into the third party's answer.
    func originAcceptedWebSocket(_ fields: HTTPFields) {
        guard case .serving = phase, responseHead == nil else { return }
        responseHead = edited(HTTPResponseHead(status: 200, fields: fields))
        isWebSocketAccepted = true
        isResponseEnded = true
        openReply()
    }

    func originWrote(_ bytes: Span<UInt8>) {
        guard case .serving = phase else { return }
        responseByteCount += bytes.count
        if let reply {
            reply.write(bytes)
        } else {
            bytes.withUnsafeBufferPointer { unrepliedBody.append(contentsOf: $0) }
        }
    }

    func originFinished(trailers: HTTPFields?) {
        guard case .serving = phase, !isResponseEnded else { return }
        isResponseEnded = true
        if carriesTrailers { responseTrailers = source?.rules.responseTrailers(trailers) }
        reply?.finish(trailers: responseTrailers)
    }

    /// Request bytes have reached the origin: as many more may come.
    func originSent(_ byteCount: Int) { intake?.consume(byteCount) }

    func originFailed(_ failure: OriginFailure) {
        guard case .serving = phase else { return }
        origin = nil
        guard responseHead == nil else {
            problem = failure.explanation
            breakOffReply(failure.reset ?? .internalError)
            return complete(status: responseHead?.status)
        }
        answer(.notice(failure.reason.notice), problem: failure.explanation)
    }

    private func edited(_ head: HTTPResponseHead) -> HTTPResponseHead {
        guard let edits = source?.rules.responseFields, !edits.isEmpty else { return head }
        return HTTPResponseHead(status: head.status, fields: edits.applied(to: head.fields))
    }

    /// Resets the reply once its head has left: a reset that overtook the head would tell the server nothing.
    private func breakOffReply(_ reason: StreamReset) {
        guard let reply else { return }
        core.loop.schedule(after: .milliseconds(1)) { reply.reset(reason) }
    }

    /// Answers in the agent's own name.
    private func answer(_ notice: AgentNotice, problem: String) {
        guard let envelope else { return }
        origin?.abort()
        origin = nil
        self.problem = problem
        reason = notice.code
        let (head, body) = notice.answer(to: envelope)
        responseHead = head
        unrepliedBody = envelope.method == "HEAD" ? [] : body
        responseByteCount = unrepliedBody.count
        isResponseEnded = true
        openReply()
    }
}

// MARK: - The reply

extension Exchange {
    private func openReply() {
        defer { core.parkIntakes() }
        // The connection that brought the request takes its reply for as long as it lives, even when it is being left.
        if mayReplyOnIntake, let intake, envelope?.routeKind == .webhook { return reply(onIntake: intake) }
        if let session, session.isServing { return reply(on: session) }
        isHomeless = true
        homelessSince = core.loop.now
        if let session = core.sessionForReply(of: self) { reply(on: session) }
    }

    /// Sends what there is of the response on this connection.
    func reply(on session: AgentSession) {
        guard case .serving = phase, reply == nil, let envelope, let head = responseHead else { return }
        isHomeless = false
        let isHead = envelope.method == "HEAD"
        let hasNoBody = ReplyEnvelope.hasNoBody(status: head.status, isHeadRequest: isHead)
        let isEnd = hasNoBody || (isResponseEnded && unrepliedBody.isEmpty)
        let length = isEnd ? 0 : head.fields.first(.contentLength).flatMap { Int($0) }
        var failure: EnvelopeError?
        let stream = session.reply(requestID: envelope.requestID, isEnd: isEnd, receiver: self) { fields in
            do throws(EnvelopeError) {
                try ReplyEnvelope.encode(
                    head, requestID: envelope.requestID, contentLength: length, isHeadRequest: isHead, reason: reason,
                    into: &fields)
            } catch {
                failure = error
            }
        }
        if let failure {
            stream?.reset(.internalError)
            return badResponse(failure)
        }
        guard let stream else { return thirdPartyGone("no connection took the reply") }
        reply = stream
        // Behind the reply on the same connection: the server reads them in this order.
        if isWebSocketAccepted, let id = envelope.webSocketID { webSocket?.bind(id, on: session) }
        guard !isEnd else { return }
        if !unrepliedBody.isEmpty {
            stream.write(unrepliedBody)
            unrepliedBody = []
        }
        if isResponseEnded { stream.finish(trailers: responseTrailers) }
    }

    private func reply(onIntake stream: HTTPStream) {
        guard let envelope, let head = responseHead else { return }
        let isHead = envelope.method == "HEAD"
        let hasNoBody = ReplyEnvelope.hasNoBody(status: head.status, isHeadRequest: isHead)
        let length = hasNoBody ? nil : head.fields.first(.contentLength).flatMap { Int($0) }
        var bytes: [UInt8] = []
        do throws(EnvelopeError) {
            try ReplyEnvelope.encodeBinary(
                head, contentLength: length, isHeadRequest: isHead, reason: reason, into: &bytes)
        } catch {
            return badResponse(error)
        }
        reply = stream
        unsentHeadByteCount = bytes.count
        stream.write(bytes)
        if !hasNoBody, !unrepliedBody.isEmpty { stream.write(unrepliedBody) }
        unrepliedBody = []
        if isResponseEnded { stream.finish(trailers: responseTrailers) }
    }

    /// A request whose whole response is out is of no use any more; behind the response's end the stream says so.
    private func endRequestEarly() {
        guard case .serving = phase, isResponseEnded, !isRequestEnded, let reply, reply === intake, reply.unsentByteCount == 0
        else { return }
        core.loop.schedule(after: .milliseconds(1)) { reply.reset(.cancel) }
    }

    private func badResponse(_ error: EnvelopeError) {
        responseHead = nil
        isResponseEnded = false
        origin?.abort()
        guard reason == nil else { return thirdPartyGone(error.explanation) }
        originFailed(
            OriginFailure(reason: .badResponse, explanation: "the target's response cannot be passed on: \(error.explanation)"))
    }
}

// MARK: - Ending

extension Exchange {
    /// Gives up what has waited for too long; called about once a second.
    func checkDeadline(responseSecondsMax: Int) {
        guard case .serving = phase else { return }
        let now = core.loop.now
        if responseHead == nil, now - startedAt > .seconds(responseSecondsMax) {
            thirdPartyGone("the local program did not answer within \(responseSecondsMax) s; the third party got 504")
        } else if isHomeless, now - homelessSince > .seconds(core.configuration.limits.replyHandoverSecondsMax) {
            thirdPartyGone("no new connection was there in time for the reply")
        }
    }

    func abort(_ why: String) {
        guard case .serving = phase else { return }
        problem = problem ?? why
        reply?.reset(.internalError)
        complete(status: nil)
    }

    /// The server's id of the request that is being served, or nil.
    var requestID: String? {
        guard case .serving = phase else { return nil }
        return envelope?.requestID
    }

    /// Nobody waits for the response: the work for it ends now.
    private func thirdPartyGone(_ why: String) {
        guard case .serving = phase else { return }
        problem = problem ?? why
        reply?.reset(.cancel)
        complete(status: nil)
    }

    private func complete(status: Int?) {
        guard case .serving = phase, let envelope else { return }
        phase = .over
        origin?.abort()
        origin = nil
        // A request whose response is out already is of no use any more.
        if !isRequestEnded, intake !== reply { intake?.reset(.cancel) }
        reply = nil
        intake = nil
        unrepliedBody = []
        // What is carried is told of by whoever carries it.
        let isCarried = envelope.routeKind == .tcpStream && problem == nil
        if !isCarried { report(envelope, status: status) }
        let session = session
        self.session = nil
        session?.exchangeEnded(self)
        core.exchangeEnded(self, number: number)
    }

    private func report(_ envelope: RequestEnvelope, status: Int?) {
        core.emit(
            .request(
                RequestReport(
                    id: envelope.requestID, method: envelope.method, path: envelope.path, status: status,
                    duration: core.loop.now - startedAt, requestByteCount: requestByteCount,
                    responseByteCount: responseByteCount,
                    problem: problem)))
    }
}
