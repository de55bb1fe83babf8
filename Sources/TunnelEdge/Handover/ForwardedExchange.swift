internal import HTTPTransport
internal import TLS
internal import TunnelWire

/// A request that the neighbor answers: what comes on one side goes out on the other, and each is given back to its sender's
/// window when it has left.
final class ForwardedExchange: HTTPStreamReceiver {
    private let head: HTTPRequestHead
    private let requestID: String
    /// The key of an HTTP/1.1 client that asks for a WebSocket.
    private let webSocketKey: String?
    private let whenOver: () -> Void
    private var near: HTTPStream?
    private var far: HTTPStream?
    private var early: [UInt8]
    private var earlyTrailers: HTTPFields?
    private var hasNearEnded: Bool
    private var hasBegun = false
    private var hasAnswer = false
    private var isAnswered = false
    private var isOver = false

    /// - Parameters:
    ///   - head: as it is to be sent, see ``LinkedPeer``.
    ///   - request: what has come of it.
    init(
        _ head: HTTPRequestHead, _ request: EarlyRequest, requestID: String, webSocketKey: String? = nil,
        whenOver: @escaping () -> Void = {}
    ) {
        self.head = head
        early = request.body
        earlyTrailers = request.trailers
        self.requestID = requestID
        self.webSocketKey = webSocketKey
        self.whenOver = whenOver
        near = request.stream
        hasNearEnded = request.hasEnded
    }

    /// Goes on, on the connection to the neighbor; without one the client is refused.
    func begin(on connection: HTTP2Connection?) {
        guard !hasBegun, near != nil else { return over() }
        hasBegun = true
        let isWhole = hasNearEnded && early.isEmpty && earlyTrailers == nil
        guard let connection, let stream = connection.request(head, isEnd: isWhole, receiver: self) else { return refuse() }
        far = stream
        if !early.isEmpty { stream.write(early) }
        early = []
        if hasNearEnded, !isWhole { stream.finish(trailers: earlyTrailers) }
    }

    private func refuse() {
        guard let near, !hasAnswer else { return over() }
        isAnswered = true
        let answer = Refusal.agentDisconnected.response(requestID: requestID, to: head.fields)
        near.respond(answer.head, body: answer.body)
        over()
    }

    private func over() {
        guard !isOver else { return }
        isOver = true
        whenOver()
    }

    // MARK: HTTPStreamReceiver

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard let near else { return }
        guard head.status >= 200 else { return near.sendInterim(head) }
        hasAnswer = true
        guard let webSocketKey, head.status == 200 else { return near.respond(head, isEnd: false) }
        var fields = head.fields
        fields.append(
            "sec-websocket-accept", Base64.encode(SHA1.hash(WebSocketHandshake.acceptInput(for: webSocketKey))))
        near.respond(HTTPResponseHead(status: 101, fields: fields), isEnd: false)
        // From here on the client's bytes are the WebSocket's.
        hasNearEnded = false
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        if stream !== near {
            guard let near else { return stream.consume(bytes.count) }
            near.write(bytes)
        } else if let far {
            far.write(bytes)
        } else if hasBegun {
            stream.consume(bytes.count)
        } else {
            bytes.withUnsafeBufferPointer { early.append(contentsOf: $0) }
        }
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        if stream === near {
            // An upgrade has no body; its end is not the WebSocket's.
            guard webSocketKey == nil || hasAnswer else { return }
            hasNearEnded = true
            if !hasBegun { earlyTrailers = trailers }
            far?.finish(trailers: trailers)
        } else {
            isAnswered = true
            near?.finish(trailers: trailers)
        }
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {
        if stream === near { far?.consume(byteCount) } else { near?.consume(byteCount) }
    }

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        if stream === near {
            near = nil
            if error != nil || !isAnswered || !hasNearEnded { far?.reset(.cancel) }
            if far == nil { over() }
        } else {
            far = nil
            if isAnswered {
                // Whatever the client still sends is of no use.
                near?.consume(.max)
            } else if hasAnswer {
                near?.reset(.internalError)
            } else {
                refuse()
            }
            over()
        }
    }
}
