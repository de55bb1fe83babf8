internal import HTTPTransport
internal import TunnelWire

/// Has one request answered by a target that speaks HTTP/2, on a stream of a connection that others use too.
final class StreamOrigin: ExchangeOrigin {
    /// How often a request is sent that the target refuses without having looked at it. Servers of gRPC do that for a moment
    /// when as many calls as they take at a time have only just ended.
    private static let attemptsMax = 5
    /// The pause before the second time; it doubles.
    private static let refusalPauseMilliseconds = 5
    /// The beginning of a body that is kept until its request is under way, so that it can be sent again.
    private static let keptBodyByteCountMax = 16 * 1024
    /// May be sent twice, when the first time its connection turned out to be dead (RFC 9110 §9.2.2).
    private static let idempotentMethods: Set<String> = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]

    private unowned let exchange: any OriginListener
    private let connections: SharedConnections
    private let manner: TargetManner

    private var request: OriginRequest?
    private var stream: HTTPStream?
    private var attemptCount = 0
    private var hasResponse = false
    private(set) var isOver = false
    /// Request bytes that came before there was a connection, and those sent as long as they may have to be sent again.
    private var keptBody: [UInt8] = []
    private var keepsBody = true
    /// Of the body: what has gone out this time, and what the listener was told of.
    private var sentByteCount = 0
    private var toldByteCount = 0
    private var isRequestEnded = false
    private var requestTrailers: HTTPFields?

    init(exchange: any OriginListener, connections: SharedConnections, manner: TargetManner) {
        self.exchange = exchange
        self.connections = connections
        self.manner = manner
    }

    // MARK: ExchangeOrigin

    func begin(_ request: OriginRequest) {
        self.request = request
        isRequestEnded = request.isEnd
        connections.connect(self)
    }

    func write(_ bytes: Span<UInt8>) {
        guard !isOver else { return }
        stream?.write(bytes)
        guard keepsBody else { return }
        // Without a connection all of it is kept: the sender's window is the bound.
        if stream == nil || keptBody.count + bytes.count <= Self.keptBodyByteCountMax {
            bytes.withUnsafeBufferPointer { keptBody.append(contentsOf: $0) }
        } else {
            forgetBody()
        }
    }

    private func forgetBody() {
        keepsBody = false
        keptBody = []
    }

    func finish(trailers: HTTPFields?) {
        isRequestEnded = true
        requestTrailers = trailers
        stream?.finish(trailers: trailers)
    }

    func consume(_ byteCount: Int) { stream?.consume(byteCount) }

    func abort() {
        isOver = true
        connections.forget(self)
        stream?.receiver = nil
        stream?.reset(.cancel)
        stream = nil
    }

    // MARK: What the connections tell

    func begin(on connection: HTTP2Connection) {
        guard let request, !isOver else { return }
        attemptCount += 1
        var head = manner.head(
            request.envelope.method, request.envelope, fields: request.fields, acceptsTrailers: request.acceptsTrailers)
        if let length = request.envelope.contentLength { head.fields.append("content-length", String(length)) }
        guard let stream = connection.request(head, isEnd: request.isEnd, receiver: self) else {
            return failed(.targetFailed, "the connection to \(connections.target) takes no more requests")
        }
        self.stream = stream
        guard !request.isEnd else { return }
        sentByteCount = 0
        if !keptBody.isEmpty { stream.write(keptBody) }
        if keptBody.count > Self.keptBodyByteCountMax { forgetBody() }
        if isRequestEnded { stream.finish(trailers: requestTrailers) }
    }

    func failed(_ reason: OriginFailure.Reason, _ explanation: String, _ reset: StreamReset? = nil) {
        guard !isOver else { return }
        isOver = true
        stream = nil
        exchange.originFailed(OriginFailure(reason: reason, explanation: explanation, reset: reset))
    }
}

extension StreamOrigin: HTTPStreamReceiver {
    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        // Interim responses are between this agent and the target.
        guard !isOver, head.status >= 200 else { return }
        hasResponse = true
        forgetBody()
        exchange.originResponded(head)
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        guard !isOver else { return stream.consume(bytes.count) }
        exchange.originWrote(bytes)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        if !isOver { exchange.originFinished(trailers: trailers) }
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {
        sentByteCount += byteCount
        // Not twice, when the body is sent for the second time.
        guard !isOver, sentByteCount > toldByteCount else { return }
        let newByteCount = sentByteCount - toldByteCount
        toldByteCount = sentByteCount
        exchange.originSent(newByteCount)
    }

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        guard !isOver else { return }
        self.stream = nil
        guard let error else {
            isOver = true
            return
        }
        switch retry(after: error) {
        case .atOnce: return connections.connect(self)
        case .later:
            let pause = Self.refusalPauseMilliseconds << (attemptCount - 1)
            return connections.connect(self, after: .milliseconds(pause))
        case .never: break
        }
        switch error {
        case .malformed(let what):
            failed(.badResponse, "\(connections.target) sent a bad response: \(what)", stream.peersReset)
        // Resetting was our answer to a response that is none, such as one whose fields are too many.
        case .cancelled: failed(.badResponse, "\(connections.target) sent a response that cannot be passed on")
        case .cancelledByPeer, .connectionLost, .refusedByPeer:
            failed(.targetFailed, "\(connections.target) broke off: \(error)", stream.peersReset)
        }
    }

    private enum Retry { case atOnce, later, never }

    /// Whether the request, of which the target has done nothing or which does no harm twice, can be sent once more.
    private func retry(after error: StreamError) -> Retry {
        guard !hasResponse, keepsBody, attemptCount < Self.attemptsMax, let request else { return .never }
        return switch error {
        case .refusedByPeer: .later
        case .connectionLost: Self.idempotentMethods.contains(request.envelope.method) ? .atOnce : .never
        case .cancelledByPeer, .malformed, .cancelled: .never
        }
    }
}
