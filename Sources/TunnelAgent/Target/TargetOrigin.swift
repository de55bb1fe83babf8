internal import HTTPTransport
internal import LinuxIO
internal import TunnelWire

/// Has one request answered by the target, over a connection that is kept for the next one.
final class TargetOrigin: ExchangeOrigin {
    /// May be sent twice, when the first time a kept connection turned out to be dead (RFC 9110 §9.2.2).
    private static let idempotentMethods: Set<String> = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]

    private unowned let exchange: any OriginListener
    private let pool: TargetPool
    private let manner: TargetManner

    private var request: OriginRequest?
    private var dial: TargetDial?
    private var stream: HTTPStream?
    private var isOnKeptConnection = false
    private var hasResponse = false
    private var isOver = false
    /// Request bytes that came before there was a connection.
    private var unsentBody: [UInt8] = []
    private var isRequestEnded = false
    private var requestTrailers: HTTPFields?

    init(exchange: any OriginListener, pool: TargetPool, manner: TargetManner) {
        self.exchange = exchange
        self.pool = pool
        self.manner = manner
    }

    func begin(_ request: OriginRequest) {
        self.request = request
        isRequestEnded = request.isEnd
        if let connection = pool.takeIdle() {
            isOnKeptConnection = true
            send(on: connection)
        } else {
            dialTarget()
        }
    }

    func write(_ bytes: Span<UInt8>) {
        if let stream {
            stream.write(bytes)
        } else if !isOver {
            bytes.withUnsafeBufferPointer { unsentBody.append(contentsOf: $0) }
        }
    }

    func finish(trailers: HTTPFields?) {
        isRequestEnded = true
        requestTrailers = trailers
        stream?.finish(trailers: trailers)
    }

    func consume(_ byteCount: Int) { stream?.consume(byteCount) }

    func abort() {
        isOver = true
        dial?.cancel()
        dial = nil
        stream?.receiver = nil
        stream?.reset(.cancel)
        stream = nil
    }

    private func dialTarget() {
        isOnKeptConnection = false
        dial = pool.dial { [self] result in
            guard !isOver else { return }
            dial = nil
            switch result {
            case .success(let connection): send(on: connection)
            case .failure(let error): fail(.targetUnreachable, pool.explain(error))
            }
        }
    }

    private func send(on connection: HTTP1ClientConnection) {
        guard let request else { return }
        do {
            let length = request.envelope.contentLength
            guard
                let stream = try connection.request(
                    manner.head(
                        request.envelope.method, request.envelope, fields: request.fields,
                        acceptsTrailers: request.acceptsTrailers),
                    isEnd: request.isEnd, contentLength: length, receiver: self)
            else { return fail(.targetFailed, "the connection to \(pool.target) was in use") }
            self.stream = stream
            guard !request.isEnd else { return }
            if !unsentBody.isEmpty { stream.write(unsentBody) }
            unsentBody = []
            if isRequestEnded { stream.finish(trailers: requestTrailers) }
        } catch {
            connection.drain()
            fail(.badResponse, "the request cannot be written as HTTP/1.1: \(error.explanation)")
        }
    }

    private func fail(_ reason: OriginFailure.Reason, _ explanation: String) {
        guard !isOver else { return }
        isOver = true
        stream = nil
        exchange.originFailed(OriginFailure(reason: reason, explanation: explanation))
    }

}

extension TargetOrigin: HTTPStreamReceiver {
    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard !isOver else { return }
        hasResponse = true
        if head.status == 101 {
            stream.receiver = nil
            stream.reset(.cancel)
            return fail(.badResponse, "\(pool.target) switched protocols, which nobody asked for")
        }
        // Interim responses are between this agent and the target.
        if head.status >= 200 { exchange.originResponded(head) }
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        guard !isOver else { return stream.consume(bytes.count) }
        exchange.originWrote(bytes)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        if !isOver { exchange.originFinished(trailers: trailers) }
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {
        if !isOver { exchange.originSent(byteCount) }
    }

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        guard !isOver else { return }
        self.stream = nil
        guard let error else {
            isOver = true
            return
        }
        if mayTryAgain { return dialTarget() }
        if case .malformed(let what) = error {
            fail(.badResponse, "\(pool.target) sent a bad response: \(what)\(Self.advice(what))")
        } else {
            fail(.targetFailed, "\(pool.target) broke off: \(error)")
        }
    }

    private static func advice(_ what: String) -> String {
        what == HTTP1ClientConnection.otherVersion ? "; write the target as h2c://HOST:PORT" : ""
    }

    /// A kept connection that the target closed meanwhile: nothing came back, and sending the request again does no harm.
    private var mayTryAgain: Bool {
        guard isOnKeptConnection, !hasResponse, let request else { return false }
        return request.isEnd && Self.idempotentMethods.contains(request.envelope.method)
    }
}
