internal import HTTPTransport
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
    private var reply: HTTPStream?
    private var hasReplyEnded = false
    private var carriesBody = true
    /// The third party has been given its whole answer.
    private var isAnswered = false
    private(set) var wasHanded = false

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

    // MARK: To the agent

    /// Sends the request on the intake's stream.
    func hand(to stream: HTTPStream, envelope: HTTPFields) {
        guard let thirdParty, case .waiting(let early) = upload else { return stream.reset(.cancel) }
        wasHanded = true
        stream.receiver = self
        let isWhole = hasUploadEnded && early.isEmpty
        stream.respond(HTTPResponseHead(status: 200, fields: envelope), isEnd: isWhole)
        guard !isWhole else { return upload = .whole(on: stream) }
        upload = .flowing(to: stream)
        if !hasUploadEnded, head.fields.count(of: .expect) > 0 { thirdParty.sendInterim(HTTPResponseHead(status: 100)) }
        stream.write(early)
        if hasUploadEnded { stream.finish(trailers: nil) }
    }

    // MARK: From the agent

    /// Takes the agent's reply; its body follows on the stream.
    func answer(_ envelope: ReplyEnvelope, on stream: HTTPStream, isEnd: Bool) {
        guard let thirdParty else { return stream.reset(.cancel) }
        reply = stream
        carriesBody = !ReplyEnvelope.hasNoBody(status: envelope.status, isHeadRequest: head.method == "HEAD")
        var fields = envelope.fields
        if let length = carriesBody ? envelope.contentLength : envelope.announcedLength {
            fields.append("content-length", String(length))
        }
        isAnswered = isEnd || !carriesBody
        thirdParty.respond(HTTPResponseHead(status: envelope.status, fields: fields), isEnd: isAnswered)
    }

    /// Answers in the tunnel's stead.
    func refuse(_ refusal: Refusal) {
        guard let thirdParty, !isAnswered else { return }
        isAnswered = true
        letGoOfAgent()
        let answer = refusal.response(requestID: id, prefersHTML: head.prefersHTML)
        thirdParty.respond(answer.head, body: answer.body)
    }

    /// Breaks an answer off that has begun: the third party must see that it is not whole.
    func breakOff() {
        letGoOfAgent()
        if !isAnswered { thirdParty?.reset(.internalError) }
    }

    private func letGoOfAgent() {
        if case .flowing(let stream) = upload { stream.reset(.cancel) }
        upload = .dropped
        reply?.reset(.cancel)
    }

    // MARK: HTTPStreamReceiver

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        if stream === thirdParty {
            switch upload {
            case .waiting(var early):
                upload = .dropped
                bytes.withUnsafeBufferPointer { early.append(contentsOf: $0) }
                upload = .waiting(early)
            case .flowing(let intake): intake.write(bytes)
            case .whole, .dropped: stream.consume(bytes.count)
            }
        } else if stream === reply, carriesBody, let thirdParty {
            thirdParty.write(bytes)
        } else {
            stream.consume(bytes.count)
        }
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        if stream === thirdParty {
            hasUploadEnded = true
            if case .flowing(let intake) = upload { intake.finish(trailers: nil) }
        } else if stream === reply {
            hasReplyEnded = true
            isAnswered = true
            thirdParty?.finish(trailers: nil)
            stream.respond(HTTPResponseHead(status: 200), isEnd: true)
            site.replyFinished(self)
            overIfDone()
        }
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {
        if stream === thirdParty { reply?.consume(byteCount) } else if stream !== reply { thirdParty?.consume(byteCount) }
    }

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        if stream === thirdParty {
            thirdParty = nil
            if error != nil || !isAnswered, !hasReplyEnded { abandon() } else { endUpload() }
            overIfDone()
        } else if stream === reply {
            reply = nil
            if !hasReplyEnded { site.replyBroken(self) }
            overIfDone()
        } else if case .whole(let intake) = upload, intake === stream {
            upload = .dropped
            guard error != nil, reply == nil, thirdParty != nil, !isAnswered else { return }
            // The agent took the intake back before the request left.
            upload = .waiting([])
            wasHanded = false
            site.handFailed(self)
        } else if case .flowing(let intake) = upload, intake === stream {
            // The agent wants no more of the body, or has it all.
            let unsent = intake.unsentByteCount
            upload = .dropped
            if !hasUploadEnded { thirdParty?.consume(unsent) }
        }
    }

    /// The third party went away: whoever still works for it is told.
    private func abandon() {
        site.abandoned(self)
        if case .flowing(let stream) = upload { stream.reset(.cancel) }
        upload = .dropped
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

extension HTTPRequestHead {
    /// Whether the client would rather have a page than JSON.
    var prefersHTML: Bool { fields.first(.accept)?.prefersHTML ?? false }
}

extension String {
    /// Whether an Accept value names text/html, and JSON not before it.
    fileprivate var prefersHTML: Bool {
        for element in split(separator: ",") {
            let type = element.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
            if type == "text/html" { return true }
            if type == "application/json" || type == "application/problem+json" { return false }
        }
        return false
    }
}
