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
    private var origin: (any ExchangeOrigin)?
    private var hasBegunOrigin = false
    private var isRequestEnded = false

    // The response.
    private var reply: HTTPStream?
    private var responseHead: HTTPResponseHead?
    /// The agent's own `inkbox-reason`.
    private var reason: String?
    /// Response bytes that came before there was a connection for the reply.
    private var unrepliedBody: [UInt8] = []
    private var isResponseEnded = false
    /// The server has taken the whole reply.
    private var replyStatus = 0

    // For the report.
    private var startedAt: MonotonicInstant
    private var requestByteCount = 0
    private var responseByteCount = 0
    private var problem: String?
    private var isHomeless = false
    private var homelessSince: MonotonicInstant

    init(session: AgentSession, slot: Int) {
        core = session.core
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
        intake?.reset(.cancel)
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
        if hasBegunOrigin { origin.finish() } else { beginOrigin(isEnd: true) }
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {
        if stream === reply { origin?.consume(byteCount) }
    }

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        if stream === intake { intakeClosed(error) } else if stream === reply { replyClosed(error) }
    }

    private func intakeClosed(_ error: StreamError?) {
        intake = nil
        switch phase {
        case .parked: intakeEnded(error == nil ? .idle : .unexpected)
        case .serving:
            if let error, !isRequestEnded { thirdPartyGone("the third party went away: \(error)") }
        case .over: break
        }
    }

    private func replyClosed(_ error: StreamError?) {
        reply = nil
        guard case .serving = phase else { return }
        if isResponseEnded, error == nil || (200...299).contains(replyStatus) {
            complete(status: responseHead?.status)
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
        switch envelope.routeKind {
        case .webhook where !ForwardPath.isSafe(envelope.path):
            answer(
                400, reason: "unsafe-path", "The path has segments that could leave the served folder.",
                problem: "refused: the path could leave the served folder")
        case .webhook: serve(envelope)
        case .webSocketUpgrade:
            answer(
                501, reason: "websocket-unsupported", "This tunnel's agent does not carry WebSockets.",
                problem: "refused: this agent carries no WebSockets")
        case .tcpStream:
            problem = "refused: this agent carries no TCP streams"
            complete(status: nil)
        }
    }

    private func serve(_ envelope: RequestEnvelope) {
        origin = core.origins.origin(for: self, number: number)
        if let length = envelope.contentLength {
            beginOrigin(isEnd: length == 0)
        } else if !Self.methodsWithoutBody.contains(envelope.method) {
            // A body that is announced by nothing: if none has come by the end of this turn, it is one that is still to come.
            core.loop.atTurnEnd(self)
        }
    }

    /// With these methods a body is so rare that the request waits until it is known whether there is one.
    private static let methodsWithoutBody: Set<String> = ["GET", "HEAD", "OPTIONS", "DELETE", "TRACE"]

    private func beginOrigin(isEnd: Bool) {
        guard !hasBegunOrigin, let envelope, let origin else { return }
        hasBegunOrigin = true
        origin.begin(OriginRequest(envelope: envelope, isEnd: isEnd))
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
        responseHead = head
        if let envelope, ReplyEnvelope.hasNoBody(status: head.status, isHeadRequest: envelope.method == "HEAD") {
            isResponseEnded = true
        }
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

    func originFinished() {
        guard case .serving = phase, !isResponseEnded else { return }
        isResponseEnded = true
        reply?.finish(trailers: nil)
    }

    /// Request bytes have reached the origin: as many more may come.
    func originSent(_ byteCount: Int) { intake?.consume(byteCount) }

    func originFailed(_ failure: OriginFailure) {
        guard case .serving = phase else { return }
        origin = nil
        guard responseHead == nil else {
            problem = failure.explanation
            breakOffReply()
            return complete(status: responseHead?.status)
        }
        let detail =
            switch failure.reason {
            case .targetUnreachable: "The tunnel's agent is connected, but the program behind it cannot be reached."
            case .targetFailed: "The program behind the tunnel broke off before it answered."
            case .badResponse: "The program behind the tunnel answered with something that is not HTTP."
            }
        answer(502, reason: failure.reason.rawValue, detail, problem: failure.explanation)
    }

    /// Resets the reply once its head has left: a reset that overtook the head would tell the server nothing.
    private func breakOffReply() {
        guard let reply else { return }
        core.loop.schedule(after: .milliseconds(1)) { reply.reset(.internalError) }
    }

    /// Answers in the agent's own name.
    private func answer(_ status: Int, reason: String, _ detail: String, problem: String) {
        origin?.abort()
        origin = nil
        self.problem = problem
        self.reason = reason
        var head = HTTPResponseHead(status: status)
        head.fields.append("content-type", "text/plain; charset=utf-8")
        head.fields.append("cache-control", "no-store")
        let body = Array((detail + "\n").utf8)
        head.fields.append("content-length", String(body.count))
        responseHead = head
        unrepliedBody = envelope?.method == "HEAD" ? [] : body
        responseByteCount = unrepliedBody.count
        isResponseEnded = true
        openReply()
    }
}

// MARK: - The reply

extension Exchange {
    private func openReply() {
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
        guard !isEnd else { return }
        if !unrepliedBody.isEmpty {
            stream.write(unrepliedBody)
            unrepliedBody = []
        }
        if isResponseEnded { stream.finish(trailers: nil) }
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

    func abort(_ why: String) { thirdPartyGone(why) }

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
        if !isRequestEnded { intake?.reset(.cancel) }
        reply = nil
        intake = nil
        unrepliedBody = []
        core.emit(
            .request(
                RequestReport(
                    id: envelope.requestID, method: envelope.method, path: envelope.path, status: status,
                    duration: core.loop.now - startedAt, requestByteCount: requestByteCount,
                    responseByteCount: responseByteCount,
                    problem: problem)))
        let session = session
        self.session = nil
        session?.exchangeEnded(self)
        core.exchangeEnded(self, number: number)
    }
}
