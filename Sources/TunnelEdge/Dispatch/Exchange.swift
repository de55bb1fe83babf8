internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelWire

/// One third party's request on its way through the tunnel and back.
///
/// Three streams meet here: the third party's, the intake that carried the request to the agent, and the agent's reply.
/// Bytes go straight from one to the other; each is given back to its sender's window when it has left on the other side.
final class Exchange: HTTPStreamReceiver {
    /// Where the third party's body goes.
    private enum Upload {
        /// No intake yet: the bytes wait, bounded by the third party's window.
        case waiting([UInt8])
        case flowing(to: HTTPStream)
        /// The whole request is one frame, which leaves at the end of the turn.
        case whole(on: HTTPStream)
        /// Nobody wants it any more.
        case dropped
    }

    let number: UInt64
    let id: String
    let head: HTTPRequestHead
    let peerAddress: String
    let receivedAt: MonotonicInstant
    private let site: TunnelSite
    private var thirdParty: HTTPStream?
    private var upload = Upload.waiting([])
    private var hasUploadEnded: Bool
    /// What came behind a body that waits for its intake.
    private var requestTrailers: HTTPFields?
    /// The agent that was given the request carries trailers (feature `trailers`), both ways.
    private var carriesTrailers = false
    private var reply: HTTPStream?
    /// The intake's stream, where the agent may reply as well (feature `replies-on-intake`).
    private var shared: HTTPStream?
    /// Reads the head of a reply there.
    private var replyReader: BinaryReplyReader?
    /// The body bytes that a reply there has announced and not sent; HTTP/2 itself counts those of the others.
    private var replyByteCountLeft: Int?
    private var hasReplyEnded = false
    private var carriesBody = true
    /// The third party has been given its whole answer.
    private var isAnswered = false
    private(set) var wasHanded = false
    /// The number of the stream that has carried the whole request to the agent; 0 for any other request.
    private(set) var intakeID: Int32 = 0
    /// The service itself has cut the third party off.
    private(set) var isBroken = false
    /// Set when the third party asks for a WebSocket.
    var webSocket: WebSocketOffer?

    init(
        number: UInt64, id: String, head: HTTPRequestHead, isEnd: Bool, peerAddress: String, thirdParty: HTTPStream,
        site: TunnelSite, at now: MonotonicInstant
    ) {
        self.number = number
        self.id = id
        self.head = head
        hasUploadEnded = isEnd
        self.peerAddress = peerAddress
        self.thirdParty = thirdParty
        self.site = site
        receivedAt = now
    }

    var hasReply: Bool { reply != nil }
    /// The agent sees on the intake's stream when nobody waits for its reply any more.
    var endIsSeen: Bool { shared != nil }
    /// The request's body or the reply is on its way.
    var isPassing: Bool {
        if reply != nil { return true }
        if case .flowing = upload, !hasUploadEnded { return true }
        return false
    }

    /// Lets go of a request that no agent was given.
    func letGo() -> EarlyRequest? {
        guard let thirdParty, case .waiting(let early) = upload else { return nil }
        self.thirdParty = nil
        upload = .dropped
        return EarlyRequest(stream: thirdParty, body: early, trailers: requestTrailers, hasEnded: hasUploadEnded)
    }

    // MARK: To the agent

    /// Sends the request on the intake's stream.
    ///
    /// - Parameters:
    ///   - mayReplyThere: the agent knows the feature `replies-on-intake`.
    ///   - carriesTrailers: the agent knows the feature `trailers`.
    func hand(to stream: HTTPStream, envelope: HTTPFields, mayReplyThere: Bool, carriesTrailers: Bool) {
        guard let thirdParty, case .waiting(let early) = upload else { return stream.reset(.cancel) }
        wasHanded = true
        self.carriesTrailers = carriesTrailers
        stream.receiver = self
        if mayReplyThere, webSocket == nil, let stream = stream as? HTTP2Stream {
            stream.awaitsPeersEnd = true
            shared = stream
            replyReader = BinaryReplyReader(isHeadRequest: head.method == "HEAD")
        }
        let trailers = carriesTrailers ? requestTrailers : nil
        let isWhole = hasUploadEnded && early.isEmpty && trailers == nil
        stream.respond(HTTPResponseHead(status: 200, fields: envelope), isEnd: isWhole)
        guard !isWhole else { return upload = .whole(on: stream) }
        upload = .flowing(to: stream)
        if !hasUploadEnded, head.fields.count(of: .expect) > 0 { thirdParty.sendInterim(HTTPResponseHead(status: 100)) }
        stream.write(early)
        if hasUploadEnded { stream.finish(trailers: trailers) }
    }

    // MARK: From the agent

    /// Takes the agent's reply; its body follows on the stream.
    func answer(_ envelope: ReplyEnvelope, on stream: HTTPStream, isEnd: Bool) {
        guard let thirdParty else { return stream.reset(.cancel) }
        reply = stream
        if let webSocket {
            if envelope.status == 200 { return open(webSocket, envelope, for: thirdParty) }
            // Over HTTP/2 any success would be a WebSocket (RFC 9110 section 9.3.6), and nobody is at its other end.
            if webSocket.key == nil, (201...299).contains(envelope.status) { return site.replyInvalid(self) }
        }
        carriesBody = !ReplyEnvelope.hasNoBody(status: envelope.status, isHeadRequest: head.method == "HEAD")
        var fields = envelope.fields
        if let length = carriesBody ? envelope.contentLength : envelope.announcedLength {
            fields.append("content-length", String(length))
        }
        isAnswered = isEnd || !carriesBody || (stream === shared && envelope.contentLength == 0)
        countAnswer(envelope.status)
        thirdParty.respond(HTTPResponseHead(status: envelope.status, fields: fields), isEnd: isAnswered)
    }

    /// Hands the third party over to a WebSocket; this exchange ends with the agent's reply.
    private func open(_ offer: WebSocketOffer, _ envelope: ReplyEnvelope, for thirdParty: HTTPStream) {
        guard WebSocketHandshake.isOffered(envelope.fields.first(.secWebsocketProtocol), in: head.fields) else {
            return site.replyInvalid(self)
        }
        carriesBody = false
        isAnswered = true
        self.thirdParty = nil
        countAnswer(offer.key == nil ? 200 : 101)
        site.open(offer, envelope, for: thirdParty)
    }

    private func countAnswer(_ status: Int) {
        site.tally.figures.answered(status: status, afterNanoseconds: age)
    }

    private var age: Int64 { site.loop.now.nanoseconds - receivedAt.nanoseconds }

    /// Answers in the tunnel's stead.
    func refuse(_ refusal: Refusal) {
        guard let thirdParty, !isAnswered else { return }
        isAnswered = true
        site.tally.figures.refused(refusal, status: refusal.status)
        letGoOfAgent()
        let answer = refusal.response(requestID: id, to: head.fields)
        thirdParty.respond(answer.head, body: answer.body)
    }

    /// Breaks an answer off that has begun: the third party must see that it is not whole.
    ///
    /// - Parameter reason: what the program behind the tunnel said, if it did.
    func breakOff(_ reason: StreamReset?) {
        isBroken = true
        letGoOfAgent()
        guard !isAnswered else { return }
        let told: StreamReset =
            switch reason {
            case .cancel: .cancel
            case .overloaded: .overloaded
            // What has begun to be answered cannot be told not to have begun.
            case .refused, .protocolError, .internalError, nil: .internalError
            }
        thirdParty?.reset(told)
    }

    private func letGoOfAgent() {
        if case .flowing(let stream) = upload { stream.reset(.cancel) }
        upload = .dropped
        reply?.reset(.cancel)
        shared?.reset(.cancel)
    }

    // MARK: A reply on the intake's stream

    /// Takes bytes before the head is complete; what comes behind it is body.
    private func replyBegins(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        guard var reader = replyReader, !isAnswered else { return stream.consume(bytes.count) }
        do {
            switch try reader.read(bytes) {
            case .needMore:
                replyReader = reader
                stream.consume(bytes.count)
            case .head(let envelope, let bodyOffset):
                replyReader = nil
                stream.consume(bodyOffset)
                guard case .take = site.replyArrived(number) else { return stream.reset(.cancel) }
                replyByteCountLeft = envelope.contentLength
                answer(envelope, on: stream, isEnd: false)
                if bodyOffset < bytes.count { replyContinues(bytes.extracting(bodyOffset..<bytes.count), on: stream) }
            }
        } catch {
            site.replyRefused(self)
            stream.reset(.cancel)
        }
    }

    private func replyContinues(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        if let left = replyByteCountLeft {
            guard bytes.count <= left else { return site.replyBroken(self) }
            replyByteCountLeft = left - bytes.count
        }
        guard carriesBody, let thirdParty else { return stream.consume(bytes.count) }
        site.tally.figures.replyBodyByteCount += bytes.count
        thirdParty.write(bytes)
    }

    private func sharedClosed(_ error: StreamError?, _ stream: HTTPStream) {
        shared = nil
        let isWhole: Bool
        switch upload {
        case .whole: isWhole = true
        case .flowing:
            isWhole = false
            if !hasUploadEnded { thirdParty?.consume(stream.unsentByteCount) }
        case .waiting, .dropped: isWhole = false
        }
        upload = .dropped
        if reply === stream {
            reply = nil
            if !hasReplyEnded { site.replyBroken(self, carriesTrailers ? stream.peersReset : nil) }
            return overIfDone()
        }
        guard thirdParty != nil, !isAnswered else { return }
        switch error {
        case .refusedByPeer where isWhole:
            // The agent took the intake back before it saw the request.
            handAgain()
        case .connectionLost: break  // Its link tells the site, which answers.
        case .refusedByPeer, .cancelledByPeer: site.givenUp(self)
        case .malformed, .cancelled, nil: site.replyRefused(self)
        }
    }

    // MARK: A request that comes back

    /// The agent took the intake back when the request had left. One that may have been carried out is not sent again.
    func takenBack(wasRefused: Bool) {
        guard reply == nil, thirdParty != nil, !isAnswered else { return }
        if wasRefused || Self.repeatableMethods.contains(head.method) { handAgain() } else { site.givenUp(self) }
    }

    /// What may be done twice (RFC 9110 section 9.2.2).
    private static let repeatableMethods: Set<String> = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]

    /// The whole request goes to another intake.
    private func handAgain() {
        upload = .waiting([])
        wasHanded = false
        intakeID = 0
        replyReader = nil
        site.handFailed(self)
    }

    // MARK: HTTPStreamReceiver

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        if stream === thirdParty {
            // The protocol of a WebSocket that is not open yet: it waits, bounded by the third party's window.
            if webSocket != nil { return bytes.withUnsafeBufferPointer { webSocket?.early.append(contentsOf: $0) } }
            site.tally.figures.requestBodyByteCount += bytes.count
            switch upload {
            case .waiting(var early):
                upload = .dropped
                bytes.withUnsafeBufferPointer { early.append(contentsOf: $0) }
                upload = .waiting(early)
            case .flowing(let intake): intake.write(bytes)
            case .whole, .dropped: stream.consume(bytes.count)
            }
        } else if stream === shared {
            if stream === reply { replyContinues(bytes, on: stream) } else { replyBegins(bytes, on: stream) }
        } else if stream === reply, carriesBody, let thirdParty {
            site.tally.figures.replyBodyByteCount += bytes.count
            thirdParty.write(bytes)
        } else {
            stream.consume(bytes.count)
        }
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        if stream === thirdParty {
            hasUploadEnded = true
            switch upload {
            case .waiting: requestTrailers = TrailerFields.toAgent(trailers)
            case .flowing(let intake): intake.finish(trailers: carriesTrailers ? TrailerFields.toAgent(trailers) : nil)
            case .whole, .dropped: break
            }
        } else if stream === reply {
            if let left = replyByteCountLeft, left > 0, carriesBody { return site.replyBroken(self) }
            hasReplyEnded = true
            isAnswered = true
            thirdParty?.finish(trailers: carriesTrailers ? TrailerFields.toThirdParty(trailers) : nil)
            if stream !== shared { stream.respond(HTTPResponseHead(status: 200), isEnd: true) }
            site.replyFinished(self)
            overIfDone()
        } else if stream === shared, let replyReader {
            // Without a byte: the agent replies with a request of its own, as agents do that know no better.
            if replyReader.isEmpty { shared = nil } else { site.replyRefused(self) }
        }
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {
        if stream === thirdParty { reply?.consume(byteCount) } else { thirdParty?.consume(byteCount) }
    }

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        if stream === thirdParty {
            thirdParty = nil
            site.tally.figures.requestOver(afterNanoseconds: age)
            if error != nil || !isAnswered, !hasReplyEnded { abandon() } else { endUpload() }
            overIfDone()
        } else if stream === shared {
            sharedClosed(error, stream)
        } else if stream === reply {
            reply = nil
            if !hasReplyEnded { site.replyBroken(self, carriesTrailers ? stream.peersReset : nil) }
            overIfDone()
        } else if case .whole(let intake) = upload, intake === stream {
            upload = .dropped
            intakeID = (intake as? HTTP2Stream)?.id ?? 0
            guard error != nil, reply == nil, thirdParty != nil, !isAnswered else { return }
            // The agent took the intake back before the request left.
            handAgain()
        } else if case .flowing(let intake) = upload, intake === stream {
            // The agent wants no more of the body, or has it all.
            let unsent = intake.unsentByteCount
            upload = .dropped
            if !hasUploadEnded { thirdParty?.consume(unsent) }
            // A part of the body is gone with the intake: nobody else can be given the request.
            if error == .refusedByPeer, reply == nil, thirdParty != nil, !isAnswered { site.givenUp(self) }
        }
    }

    /// The third party went away: whoever still works for it is told.
    private func abandon() {
        site.abandoned(self)
        if case .flowing(let stream) = upload { stream.reset(.cancel) }
        upload = .dropped
        if let shared {
            self.shared = nil
            shared.receiver = nil
            shared.reset(.cancel)
            if reply === shared { return reply = nil }
        }
        guard let reply else { return }
        self.reply = nil
        reply.receiver = nil
        reply.respond(HTTPResponseHead(status: 410), isEnd: true)
    }

    /// The answer was complete before the request: the agent must not wait for a body that nobody sends any more.
    private func endUpload() {
        guard !hasUploadEnded, case .flowing(let stream) = upload else { return }
        stream.reset(.cancel)
        upload = .dropped
    }

    private func overIfDone() {
        if thirdParty == nil, reply == nil || hasReplyEnded { site.exchangeOver(self) }
    }
}

/// What has come of a request that no agent was given.
struct EarlyRequest {
    var stream: HTTPStream
    var body: [UInt8] = []
    var trailers: HTTPFields?
    /// Nothing more comes.
    var hasEnded: Bool
}
