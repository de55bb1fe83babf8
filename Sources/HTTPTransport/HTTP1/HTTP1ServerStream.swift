internal import TunnelWire

/// One exchange over HTTP/1.1, seen from the server.
final class HTTP1ServerStream: HTTPStream {
    /// How the end of our body is told to the peer.
    enum Framing { case none, length(left: Int), chunked, untilClose }

    let session: HTTP1ServerConnection
    let isHead: Bool
    let facts: HTTP1RequestFacts
    var framing = Framing.none
    var hasSentHead = false
    var isFinished = false
    /// The head that was sent tells the client that no further request is taken.
    var hasSaidClose = false
    var hasReceivedEnd = false
    /// Another protocol's bytes are carried, after 101.
    var isUpgraded = false
    var isClosed = false
    /// Written and not yet reported by `streamSent`.
    var unreportedByteCount = 0
    var unconsumedByteCount = 0

    /// The request has a body that has not come to its end.
    var awaitsBody: Bool {
        switch facts.bodyLength {
        case .none, .length(0): false
        case .length, .chunked, .untilClose: !hasReceivedEnd
        }
    }

    init(session: HTTP1ServerConnection, isHead: Bool, facts: HTTP1RequestFacts) {
        self.session = session
        self.isHead = isHead
        self.facts = facts
    }

    override var connection: HTTPConnection { session }

    override func sendInterim(_ head: HTTPResponseHead) {
        // An HTTP/1.0 client knows no interim responses (RFC 9110 §15.2).
        guard !isClosed, !hasSentHead, facts.version == .http11 else { return }
        session.sendInterim(head)
    }

    override func respond(_ head: HTTPResponseHead, isEnd: Bool) {
        guard !isClosed, !hasSentHead else { return }
        hasSentHead = true
        session.sendHead(head, isEnd: isEnd, of: self)
        if isEnd { finish(trailers: nil) }
    }

    override func write(_ bytes: UnsafeRawBufferPointer) {
        guard !isClosed, !isFinished, hasSentHead, bytes.count > 0 else { return }
        session.sendBody(bytes, of: self)
    }

    override func finish(trailers: HTTPFields?) {
        guard !isClosed, !isFinished, hasSentHead else { return }
        isFinished = true
        session.sendEnd(trailers, of: self)
    }

    override func reset(_ reason: StreamReset) {
        guard !isClosed else { return }
        session.abort(self)
    }

    override func consume(_ byteCount: Int) {
        unconsumedByteCount -= min(byteCount, unconsumedByteCount)
        guard !isClosed else { return }
        session.consumed(by: self)
    }

    override var unsentByteCount: Int { unreportedByteCount }
}
