internal import HTTPTransport
internal import LinuxIO
internal import TLS
internal import TunnelWire

/// Opens a WebSocket at the target for one third party, and bridges the two.
///
/// Until the target has agreed it is an origin like any other: a refusal goes back as the response that it is. Afterwards the
/// exchange ends with its reply, and the pump lives on.
final class WebSocketOrigin: ExchangeOrigin, WebSocketEnd {
    private unowned let exchange: any OriginListener
    private let pool: TargetPool
    private let manner: TargetManner
    private let limits: AgentLimits
    private let loop: Loop

    private enum Phase {
        case dialing
        /// The target was asked.
        case offered(HTTPStream, key: String)
        /// It has refused, and its response is on the way.
        case refusing(HTTPStream)
        case open(WebSocketPump)
        case over
    }

    private var phase = Phase.dialing
    private var dial: TargetDial?
    private var offer = HTTPFields()

    init(exchange: any OriginListener, pool: TargetPool, manner: TargetManner, limits: AgentLimits, loop: Loop) {
        self.exchange = exchange
        self.pool = pool
        self.manner = manner
        self.limits = limits
        self.loop = loop
    }

    func begin(_ request: OriginRequest) {
        offer = request.fields
        // A connection of its own: it will never carry another request.
        dial = pool.dial { [self] result in
            guard case .dialing = phase else { return }
            dial = nil
            switch result {
            case .success(let connection): ask(request.envelope, on: connection)
            case .failure(let error): fail(.targetUnreachable, pool.explain(error))
            }
        }
    }

    // An upgrade has no body.
    func write(_ bytes: Span<UInt8>) {}
    func finish(trailers: HTTPFields?) {}

    func consume(_ byteCount: Int) {
        if case .refusing(let stream) = phase { stream.consume(byteCount) }
    }

    /// Does nothing once the WebSocket is open: it outlives its exchange.
    func abort() {
        switch phase {
        case .dialing: dial?.cancel()
        case .offered(let stream, _), .refusing(let stream):
            stream.receiver = nil
            stream.reset(.cancel)
        case .open, .over: return
        }
        dial = nil
        phase = .over
    }

    /// Joins the target's end with the server's, on the connection that took the reply.
    func bind(_ id: String, on source: any WebSocketBridgeSource) {
        guard case .open(let pump) = phase else { return }
        let bind = BindExchange(pump: pump)
        guard source.bind(webSocketID: id, receiver: bind) != nil else { return pump.bridgeLost() }
    }

    // MARK: Asking the target

    private func ask(_ envelope: RequestEnvelope, on connection: HTTP1ClientConnection) {
        let key = Base64.encode(RandomBytes.make(count: 16))
        var fields = offer
        fields.append("sec-websocket-version", WebSocketHandshake.version)
        fields.append("sec-websocket-key", key)
        let head = manner.head(
            "GET", envelope, fields: fields, upgradeProtocol: WebSocketHandshake.upgradeProtocol)
        do {
            guard let stream = try connection.request(head, isEnd: false, contentLength: nil, receiver: self) else {
                return fail(.targetFailed, "the connection to \(pool.target) was in use")
            }
            phase = .offered(stream, key: key)
        } catch {
            connection.drain()
            fail(.badResponse, "the request cannot be written as HTTP/1.1: \(error.explanation)")
        }
    }

    private func answered(_ head: HTTPResponseHead, _ stream: HTTPStream, key: String) {
        guard head.status == 101 else {
            phase = .refusing(stream)
            return exchange.originResponded(head)
        }
        if let fault = fault(of: head, key: key) {
            stream.receiver = nil
            stream.reset(.cancel)
            return fail(.badResponse, "\(pool.target) \(fault)")
        }
        var settings = WebSocketPumpSettings()
        settings.pingIntervalSeconds = limits.webSocketPingIntervalSeconds
        let pump = WebSocketPump(
            .agent(messageByteCountMax: limits.webSocketMessageByteCountMax) { UInt32.random(in: .min ... .max) },
            peer: stream, settings: settings, loop: loop, whenOver: {})
        phase = .open(pump)
        exchange.originAcceptedWebSocket(head.fields)
    }

    /// What is wrong with the target's agreement (RFC 6455 section 4.1).
    private func fault(of head: HTTPResponseHead, key: String) -> String? {
        let accept = Base64.encode(SHA1.hash(WebSocketHandshake.acceptInput(for: key)))
        if head.fields.first(.secWebsocketAccept) != accept { return "agreed to a WebSocket with a wrong Sec-WebSocket-Accept" }
        if head.fields.count(of: .secWebsocketExtensions) > 0 { return "uses WebSocket extensions that nobody offered" }
        guard WebSocketHandshake.isOffered(head.fields.first(.secWebsocketProtocol), in: offer) else {
            return "chose a WebSocket subprotocol that nobody offered"
        }
        return nil
    }

    private func fail(_ reason: OriginFailure.Reason, _ explanation: String) {
        phase = .over
        exchange.originFailed(OriginFailure(reason: reason, explanation: explanation))
    }
}

extension WebSocketOrigin: HTTPStreamReceiver {
    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard case .offered(_, let key) = phase, head.status >= 200 || head.status == 101 else { return }
        answered(head, stream, key: key)
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        guard case .refusing = phase else { return stream.consume(bytes.count) }
        exchange.originWrote(bytes)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        if case .refusing = phase { exchange.originFinished(trailers: nil) }
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {}

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        switch phase {
        case .offered: fail(.targetFailed, "\(pool.target) broke off before it answered")
        case .refusing:
            guard let error else { return phase = .over }
            fail(.targetFailed, "\(pool.target) broke off: \(error)")
        case .dialing, .open, .over: break
        }
    }
}

/// The bind's own exchange, until the server has answered it.
private final class BindExchange: HTTPStreamReceiver {
    private let pump: WebSocketPump

    init(pump: WebSocketPump) { self.pump = pump }

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard head.status == 200, pump.takesBridge else {
            // The third party is gone, or the target is.
            stream.reset(.cancel)
            return
        }
        // Our agent takes what comes as it comes, and so does the server.
        pump.attach(bridge: stream, takesWholesOnly: false)
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) { stream.consume(bytes.count) }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {}
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) { pump.bridgeLost() }
}
