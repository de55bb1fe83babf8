internal import HTTPTransport
internal import LinuxIO
internal import TunnelWire

/// Has one request answered by a closure, in a task of its own.
///
/// The task and the loop speak through the two pipes and through messages to the exchange by its number; a message for an
/// exchange that is over finds nobody.
final class HandlerOrigin: ExchangeOrigin {
    private unowned let exchange: Exchange
    private let number: UInt64
    private let publicHost: String
    private let handler: @Sendable (AgentRequest) async throws -> AgentResponse
    private let requestBody: RequestBodyPipe
    private let responseBody: ResponseBodyPipe
    private let messages: HandlerMessages
    private var task: Task<Void, Never>?

    init(
        exchange: Exchange, number: UInt64, publicHost: String, door: EventLoop,
        handler: @escaping @Sendable (AgentRequest) async throws -> AgentResponse
    ) {
        self.exchange = exchange
        self.number = number
        self.publicHost = publicHost
        self.handler = handler
        let messages = HandlerMessages(number: number, door: door)
        self.messages = messages
        requestBody = RequestBodyPipe { messages.consumed($0) }
        responseBody = ResponseBodyPipe { messages.wrote($0) }
    }

    func begin(_ request: OriginRequest) {
        if request.isEnd { requestBody.finish() }
        let envelope = request.envelope
        let input = AgentRequest(
            id: envelope.requestID, method: envelope.method, path: envelope.path,
            fields: envelope.fields.pairs.map { AgentField($0.name, $0.value) }, forwardedFor: envelope.forwardedFor ?? "",
            publicHost: publicHost, body: AgentRequestBody(pipe: requestBody))
        let (handler, messages, responseBody) = (handler, messages, responseBody)
        task = Task.detached {
            do {
                let response = try await handler(input)
                messages.responded(status: response.status, fields: response.fields)
                switch response.body {
                case .bytes(let bytes): if !bytes.isEmpty { messages.wrote(bytes) }
                case .stream(let write): try await write(AgentResponseWriter(pipe: responseBody))
                }
                messages.finished()
            } catch {
                messages.failed("the handler failed: \(error)")
            }
        }
    }

    func write(_ bytes: Span<UInt8>) { requestBody.append(bytes) }
    func finish() { requestBody.finish() }
    func consume(_ byteCount: Int) { responseBody.sent(byteCount) }

    func abort() {
        task?.cancel()
        requestBody.fail()
        responseBody.fail()
    }
}

/// What a handler's task tells its exchange, carried to the loop in order.
private struct HandlerMessages: Sendable {
    let number: UInt64
    let door: EventLoop

    func consumed(_ byteCount: Int) { tell { $0.originSent(byteCount) } }
    func wrote(_ bytes: [UInt8]) { tell { $0.originWrote(bytes.span) } }
    func finished() { tell { $0.originFinished() } }
    func failed(_ why: String) { tell { $0.originFailed(OriginFailure(reason: .targetFailed, explanation: why)) } }

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

    private func tell(_ message: @escaping @Sendable (Exchange) -> Void) {
        let number = number
        door.execute { loop in
            if let exchange = (loop.resident as? AgentCore)?.exchange(number: number) { message(exchange) }
        }
    }
}
