internal import HTTPTransport
internal import LinuxIO
internal import Synchronization
internal import TLS
internal import TunnelWire

/// One response that is read piece by piece. Its reader is held up by nothing but the server, and the server by its reader:
/// bytes that are not taken yet are not credited.
final class StreamedExchange: StreamedBody {
    private let loop: EventLoop
    private let mailbox = StreamMailbox()
    private let timeoutSeconds: Int
    private let silenceSeconds: Int

    init(loop: EventLoop, timeoutSeconds: Int, silenceSeconds: Int) {
        self.loop = loop
        self.timeoutSeconds = timeoutSeconds
        self.silenceSeconds = silenceSeconds
    }

    deinit { cancel() }

    /// Connects, sends the request and waits for the head of the response.
    func begin(
        _ head: HTTPRequestHead, body: [UInt8], at endpoint: HTTPEndpoint, _ context: TLSContext
    ) async throws -> HTTPResponseHead {
        let (mailbox, timeoutSeconds, silenceSeconds) = (mailbox, timeoutSeconds, silenceSeconds)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                mailbox.awaitHead(continuation)
                let isTaken = loop.execute { loop in
                    let call = StreamedCall(
                        head: head, body: body, endpoint: endpoint, mailbox: mailbox, timeoutSeconds: timeoutSeconds,
                        silenceSeconds: silenceSeconds)
                    call.begin(on: loop, endpoint.isTLS ? context : nil)
                }
                if !isTaken { mailbox.end(TransportFailure.connectionLost(reason: "the transport has stopped")) }
            }
        } onCancel: {
            self.cancel()
        }
    }

    func next() async throws -> [UInt8]? {
        let bytes = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { mailbox.awaitBytes($0) }
        } onCancel: {
            self.cancel()
        }
        guard let bytes else { return nil }
        mailbox.onLoop(loop) { call, _ in call.consumed(bytes.count) }
        return bytes
    }

    private func cancel() {
        mailbox.onLoop(loop) { call, _ in call.cancel() }
        mailbox.end(CancellationError())
    }
}

/// What the loop has received and the reader has not taken.
final class StreamMailbox: Sendable {
    private struct State {
        var head: CheckedContinuation<HTTPResponseHead, any Error>?
        var reader: CheckedContinuation<[UInt8]?, any Error>?
        var bytes: [UInt8] = []
        /// Set once nothing more will come: nil for a body that is complete.
        var end: Result<Void, any Error>?
        var call: LoopBound<StreamedCall>?
    }

    private let state = Mutex(State())

    /// Names the call that fills this box; false when nobody waits for it any more.
    func begin(_ call: LoopBound<StreamedCall>) -> Bool {
        state.withLock { state in
            guard state.end == nil else { return false }
            state.call = call
            return true
        }
    }

    func awaitHead(_ continuation: CheckedContinuation<HTTPResponseHead, any Error>) {
        let error = state.withLock { state -> (any Error)? in
            if case .failure(let error)? = state.end { return error }
            state.head = continuation
            return nil
        }
        if let error { continuation.resume(throwing: error) }
    }

    func awaitBytes(_ continuation: CheckedContinuation<[UInt8]?, any Error>) {
        let result = state.withLock { state -> Result<[UInt8]?, any Error>? in
            if !state.bytes.isEmpty {
                defer { state.bytes = [] }
                return .success(state.bytes)
            }
            if let end = state.end { return end.map { nil } }
            state.reader = continuation
            return nil
        }
        if let result { continuation.resume(with: result) }
    }

    func received(_ head: HTTPResponseHead) {
        state.withLock { state in
            defer { state.head = nil }
            return state.head
        }?.resume(returning: head)
    }

    func received(_ bytes: Span<UInt8>) {
        let waiting = state.withLock { state -> (CheckedContinuation<[UInt8]?, any Error>, [UInt8])? in
            bytes.withUnsafeBufferPointer { state.bytes.append(contentsOf: $0) }
            guard let reader = state.reader else { return nil }
            defer {
                state.reader = nil
                state.bytes = []
            }
            return (reader, state.bytes)
        }
        waiting?.0.resume(returning: waiting?.1)
    }

    /// Nothing more comes. Only the first end counts, and a waiting reader learns of it.
    func end(_ error: (any Error)?) {
        let end: Result<Void, any Error> = error.map { .failure($0) } ?? .success(())
        let waiting = state.withLock { state -> State? in
            guard state.end == nil else { return nil }
            let waiting = state
            state.end = end
            state.call = nil
            state.head = nil
            state.reader = nil
            return waiting
        }
        waiting?.head?.resume(throwing: error ?? TransportFailure.connectionLost(reason: "the response has no head"))
        waiting?.reader?.resume(with: end.map { nil })
    }

    /// Runs the work with the call on its loop, if it is still under way.
    func onLoop(_ loop: EventLoop, _ work: @escaping @Sendable (StreamedCall, Loop) -> Void) {
        guard let call = state.withLock({ $0.call }) else { return }
        loop.execute { work(call.value(on: $0), $0) }
    }
}
