internal import Synchronization

/// Writes the body of a streamed response.
public struct AgentResponseWriter: Sendable {
    let pipe: ResponseBodyPipe

    /// Sends the bytes on their way; returns at once while the third party keeps up, and waits for it when it does not.
    ///
    /// - Throws: ``AgentBodyError/thirdPartyGone`` when nobody will read them.
    public func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await pipe.write(bytes)
    }

    /// Sends the text in UTF-8.
    public func write(_ text: String) async throws { try await write(Array(text.utf8)) }
}

/// Carries body bytes from a task to the loop, and holds the task up while too many are unsent.
final class ResponseBodyPipe: Sendable {
    /// A writer waits while more bytes than this are unsent.
    static let unsentByteCountMax = 256 * 1024

    private struct State {
        var unsentByteCount = 0
        var isBroken = false
        var writer: CheckedContinuation<Void, Never>?

        mutating func takeWriter() -> CheckedContinuation<Void, Never>? {
            defer { writer = nil }
            return writer
        }
    }

    private let state = Mutex(State())
    /// Hands bytes to the loop, in order.
    private let post: @Sendable (_ bytes: [UInt8]) -> Void

    init(post: @escaping @Sendable (_ bytes: [UInt8]) -> Void) { self.post = post }

    func write(_ bytes: [UInt8]) async throws {
        let mustWait = try state.withLock { state throws(AgentBodyError) in
            guard !state.isBroken else { throw .thirdPartyGone }
            state.unsentByteCount += bytes.count
            return state.unsentByteCount > Self.unsentByteCountMax
        }
        post(bytes)
        if mustWait { await wait() }
        try state.withLock { state throws(AgentBodyError) in
            if state.isBroken { throw .thirdPartyGone }
        }
    }

    /// Waits until the third party has caught up; a cancelled task waits no more, and writes no more.
    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    precondition(state.writer == nil, "a response body has one writer")
                    if state.isBroken || state.unsentByteCount <= Self.unsentByteCountMax { return true }
                    state.writer = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            fail()
        }
    }

    /// Bytes have left the agent.
    func sent(_ byteCount: Int) {
        let writer = state.withLock { state in
            state.unsentByteCount -= byteCount
            return state.unsentByteCount <= Self.unsentByteCountMax ? state.takeWriter() : nil
        }
        writer?.resume()
    }

    func fail() {
        let writer = state.withLock { state in
            state.isBroken = true
            return state.takeWriter()
        }
        writer?.resume()
    }
}
