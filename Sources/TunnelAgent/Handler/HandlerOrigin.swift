internal import HTTPTransport
internal import LinuxIO
internal import TunnelWire

/// Has one request answered by a closure, in a task of its own.
///
/// The task and the loop speak through the two pipes and through messages to the exchange by its number; a message for an
/// exchange that is over finds nobody.
final class HandlerOrigin: ExchangeOrigin {
    private unowned let exchange: any OriginListener
    private let number: UInt64
    private let publicHost: String
    private let handler: @Sendable (AgentRequest) async throws -> AgentResponse
    private let requestBody: RequestBodyPipe
    private let responseBody: ResponseBodyPipe
    private let messages: HandlerMessages
    private let webSocketMessageByteCountMax: Int
    private let loop: Loop
    private var webSocket: HandlerWebSocket?
    private var isWebSocketOpen = false
    private var task: Task<Void, Never>?

    init(
        exchange: any OriginListener, number: UInt64, publicHost: String, webSocketMessageByteCountMax: Int, loop: Loop,
        handler: @escaping @Sendable (AgentRequest) async throws -> AgentResponse
    ) {
        self.exchange = exchange
        self.number = number
        self.publicHost = publicHost
        self.handler = handler
        self.webSocketMessageByteCountMax = webSocketMessageByteCountMax
        self.loop = loop
        let messages = HandlerMessages(number: number, door: loop.door)
        self.messages = messages
        requestBody = RequestBodyPipe { messages.consumed($0) }
        responseBody = ResponseBodyPipe { messages.wrote($0) }
    }

    func begin(_ request: OriginRequest) {
        if request.isEnd { requestBody.finish() }
        let envelope = request.envelope
        let input = AgentRequest(
            id: envelope.requestID, method: envelope.method, path: envelope.path,
            fields: request.fields.pairs.map { AgentField($0.name, $0.value) }, forwardedFor: envelope.forwardedFor ?? "",
            publicHost: publicHost, asksForWebSocket: envelope.routeKind == .webSocketUpgrade,
            body: AgentRequestBody(pipe: requestBody))
        if input.asksForWebSocket {
            webSocket = HandlerWebSocket(messageByteCountMax: webSocketMessageByteCountMax, loop: loop)
        }
        let (handler, messages, responseBody, socketPipe) = (handler, messages, responseBody, webSocket?.pipe)
        task = Task.detached {
            do {
                let response = try await handler(input)
                if case .webSocket(let serve) = response.body {
                    guard let socketPipe else {
                        return messages.failed("the handler answered a plain request with a WebSocket")
                    }
                    messages.acceptedWebSocket(fields: response.fields)
                    return await HandlerOrigin.serve(AgentWebSocket(pipe: socketPipe), serve)
                }
                messages.responded(status: response.status, fields: response.fields)
                switch response.body {
                case .bytes(let bytes): if !bytes.isEmpty { messages.wrote(bytes) }
                case .stream(let write): try await write(AgentResponseWriter(pipe: responseBody))
                case .webSocket: break
                }
                messages.finished()
            } catch {
                messages.failed("the handler failed: \(error)")
            }
        }
    }

    func write(_ bytes: Span<UInt8>) { requestBody.append(bytes) }
    func finish(trailers: HTTPFields?) { requestBody.finish() }
    func consume(_ byteCount: Int) { responseBody.sent(byteCount) }

    /// Runs the closure to its end, and says goodbye in its name.
    private static func serve(
        _ socket: AgentWebSocket, _ closure: @Sendable (AgentWebSocket) async throws -> Void
    ) async {
        do {
            try await closure(socket)
            socket.close()
        } catch let close as AgentWebSocketClose {
            socket.close(code: close.code, reason: close.reason)
        } catch {
            socket.close(code: 1011)
        }
    }

    /// An open WebSocket outlives its exchange.
    func abort() {
        guard !isWebSocketOpen else { return }
        webSocket?.lost()
        task?.cancel()
        requestBody.fail()
        responseBody.fail()
    }
}

extension HandlerOrigin: WebSocketEnd {
    func bind(_ id: String, on source: any WebSocketBridgeSource) {
        guard let webSocket else { return }
        isWebSocketOpen = true
        webSocket.bind(id, on: source)
    }
}

/// What a handler's task tells its exchange, carried to the loop in order.
private struct HandlerMessages: Sendable {
    let number: UInt64
    let door: EventLoop

    func consumed(_ byteCount: Int) { tell { $0.originSent(byteCount) } }
    func wrote(_ bytes: [UInt8]) { tell { $0.originWrote(bytes.span) } }
    func finished() { tell { $0.originFinished(trailers: nil) } }
    func failed(_ why: String) { tell { $0.originFailed(OriginFailure(reason: .targetFailed, explanation: why)) } }

    func acceptedWebSocket(fields: [AgentField]) {
        tell { exchange in
            var list = HTTPFields()
            for field in fields { list.append(name: field.name, value: field.value) }
            exchange.originAcceptedWebSocket(list)
        }
    }

    func responded(status: Int, fields: [AgentField]) {
        tell { exchange in
            guard (200...599).contains(status) else {
                return exchange.originFailed(
                    OriginFailure(reason: .badResponse, explanation: "the handler answered with the status \(status)"))
            }
            var head = HTTPResponseHead(status: status)
            for field in fields { head.fields.append(name: field.name, value: field.value) }
            exchange.originResponded(head)
        }
    }

    private func tell(_ message: @escaping @Sendable (any OriginListener) -> Void) {
        let number = number
        door.execute { loop in
            if let exchange = (loop.resident as? AgentCore)?.exchange(number: number) { message(exchange) }
        }
    }
}
