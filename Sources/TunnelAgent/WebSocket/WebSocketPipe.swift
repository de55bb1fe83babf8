internal import Synchronization
internal import TunnelWire

/// Carries WebSocket messages between the loop and a handler's task, and holds each end up while the other is behind.
final class WebSocketPipe: Sendable {
    /// A sender waits while more bytes than this are unsent.
    static let unsentByteCountMax = 256 * 1024

    private enum End { case closed(AgentWebSocketClose), lost }

    private struct State {
        /// Messages that were not read, each with the bytes that it took on the wire.
        var unread: [(message: AgentWebSocketMessage, byteCount: Int)] = []
        var end: End?
        var reader: CheckedContinuation<Void, Never>?
        var unsentByteCount = 0
        var hasClosed = false
        var isBroken = false
        var writers: [CheckedContinuation<Void, Never>] = []

        mutating func takeReader() -> CheckedContinuation<Void, Never>? {
            defer { reader = nil }
            return reader
        }

        mutating func takeWriters() -> [CheckedContinuation<Void, Never>] {
            defer { writers = [] }
            return writers
        }
    }

    private let state = Mutex(State())
    /// Gives credit back to the server; called from the reader's task.
    private let consumed: @Sendable (_ byteCount: Int) -> Void
    /// Hands a frame to the loop, in order; the last one ends the bridge.
    private let post: @Sendable (_ frame: [UInt8], _ isLast: Bool) -> Void

    init(
        consumed: @escaping @Sendable (_ byteCount: Int) -> Void,
        post: @escaping @Sendable (_ frame: [UInt8], _ isLast: Bool) -> Void
    ) {
        self.consumed = consumed
        self.post = post
    }

    var closeByThirdParty: AgentWebSocketClose? {
        state.withLock { if case .closed(let close) = $0.end { close } else { nil } }
    }

    // MARK: From the loop

    /// A message has come; its bytes are credited when it is read.
    func received(_ message: AgentWebSocketMessage, byteCount: Int) {
        state.withLock { state in
            state.unread.append((message, byteCount))
            return state.takeReader()
        }?.resume()
    }

    func thirdPartyClosed(_ close: AgentWebSocketClose) { end(.closed(close)) }

    /// Nothing more comes and nothing more goes.
    func lost() {
        end(.lost)
        let writers = state.withLock { state in
            state.isBroken = true
            return state.takeWriters()
        }
        for writer in writers { writer.resume() }
    }

    private func end(_ end: End) {
        state.withLock { state in
            if state.end == nil { state.end = end }
            return state.takeReader()
        }?.resume()
    }

    /// Sends a pong on its way.
    func answer(ping payload: [UInt8]) {
        let frame = Self.frame(.pong, payload)
        state.withLock { $0.unsentByteCount += frame.count }
        post(frame, false)
    }

    /// Bytes have left the agent.
    func sent(_ byteCount: Int) {
        let writers = state.withLock { state in
            state.unsentByteCount -= byteCount
            return state.unsentByteCount <= Self.unsentByteCountMax ? state.takeWriters() : []
        }
        for writer in writers { writer.resume() }
    }

    // MARK: From the handler

    func next() async throws -> AgentWebSocketMessage? {
        while true {
            let (first, end) = state.withLock { state in
                (state.unread.isEmpty ? nil : state.unread.removeFirst(), state.end)
            }
            if let first {
                consumed(first.byteCount)
                return first.message
            }
            switch end {
            case .closed: return nil
            case .lost: throw AgentBodyError.thirdPartyGone
            case nil: await waitForMessage()
            }
        }
    }

    func send(_ message: AgentWebSocketMessage) async throws {
        let bridged: BridgeMessage =
            switch message {
            case .text(let text): .text(Array(text.utf8))
            case .binary(let bytes): .binary(bytes)
            }
        let frame = Self.frame(.binary, bridged.envelope)
        try await waitForRoom()
        try state.withLock { state throws(AgentBodyError) in
            guard !state.isBroken, !state.hasClosed else { throw .thirdPartyGone }
            state.unsentByteCount += frame.count
        }
        post(frame, false)
    }

    /// A frame of the agent's side; its key must not be foreseen (RFC 6455 section 5.3).
    static func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        let header = WebSocketFrameHeader(
            opcode: opcode, payloadByteCount: payload.count, maskingKey: UInt32.random(in: .min ... .max))
        bytes.append(header, payload: payload.span)
        return bytes
    }

    func close(_ close: AgentWebSocketClose) {
        let frame = Self.frame(.binary, BridgeMessage.close(code: close.code, reason: close.reason).envelope)
        let isFirst = state.withLock { state in
            guard !state.hasClosed, !state.isBroken else { return false }
            state.hasClosed = true
            state.unsentByteCount += frame.count
            return true
        }
        if isFirst { post(frame, true) }
    }

    private func waitForMessage() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    precondition(state.reader == nil, "a WebSocket's messages have one reader")
                    if !state.unread.isEmpty || state.end != nil { return true }
                    state.reader = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            lost()
        }
    }

    /// Waits while too much is unsent; of several senders each takes its turn.
    private func waitForRoom() async throws {
        while true {
            let (isBroken, isFull) = state.withLock { ($0.isBroken, $0.unsentByteCount > Self.unsentByteCountMax) }
            if isBroken { throw AgentBodyError.thirdPartyGone }
            guard isFull else { return }
            await waitOnce()
        }
    }

    private func waitOnce() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isBroken || state.unsentByteCount <= Self.unsentByteCountMax { return true }
                    state.writers.append(continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            lost()
        }
    }
}
