internal import Synchronization

/// The body of a request as a sequence of byte arrays; it can be read once.
///
/// The third party is held up until what came has been read, so a body is never larger in memory than one flow-control window.
/// Reading throws ``AgentBodyError/thirdPartyGone`` when the rest will never come.
public struct AgentRequestBody: AsyncSequence, Sendable {
    /// One piece of the body, never empty.
    public typealias Element = [UInt8]
    let pipe: RequestBodyPipe

    /// Reads one piece after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let pipe: RequestBodyPipe

        /// The next piece, never empty; nil at the end of the body.
        public func next() async throws -> [UInt8]? { try await pipe.next() }
    }

    /// The one reader of this body.
    public func makeAsyncIterator() -> Iterator { Iterator(pipe: pipe) }

    /// The whole body.
    ///
    /// - Parameter byteCountMax: a longer body throws ``BodyTooLong`` and is not read to its end.
    public func collect(upTo byteCountMax: Int) async throws -> [UInt8] {
        var all: [UInt8] = []
        for try await piece in self {
            guard all.count + piece.count <= byteCountMax else { throw BodyTooLong(byteCountMax: byteCountMax) }
            all.append(contentsOf: piece)
        }
        return all
    }

    /// A body was longer than its reader was ready to take.
    public struct BodyTooLong: Error, Sendable, Hashable {
        public let byteCountMax: Int
    }
}

/// Carries body bytes from the loop to a task.
final class RequestBodyPipe: Sendable {
    private enum End { case complete, broken }

    private struct State {
        var pending: [UInt8] = []
        var end: End?
        var reader: CheckedContinuation<Void, Never>?

        mutating func takeReader() -> CheckedContinuation<Void, Never>? {
            defer { reader = nil }
            return reader
        }
    }

    private let state = Mutex(State())
    /// Gives credit back to the third party; called from the reader's task.
    private let consumed: @Sendable (_ byteCount: Int) -> Void

    init(consumed: @escaping @Sendable (_ byteCount: Int) -> Void) { self.consumed = consumed }

    func append(_ bytes: Span<UInt8>) {
        let reader = state.withLock { state in
            bytes.withUnsafeBufferPointer { state.pending.append(contentsOf: $0) }
            return state.takeReader()
        }
        reader?.resume()
    }

    func finish() { end(.complete) }
    func fail() { end(.broken) }

    private func end(_ end: End) {
        let reader = state.withLock { state in
            if state.end == nil { state.end = end }
            return state.takeReader()
        }
        reader?.resume()
    }

    func next() async throws -> [UInt8]? {
        while true {
            let (piece, end) = state.withLock { state in
                let piece = state.pending
                state.pending = []
                return (piece, state.end)
            }
            if !piece.isEmpty {
                consumed(piece.count)
                return piece
            }
            switch end {
            case .complete: return nil
            case .broken: throw AgentBodyError.thirdPartyGone
            case nil: await wait()
            }
        }
    }

    /// Waits for the next event; a cancelled task waits no more, and the body is broken for it.
    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    precondition(state.reader == nil, "a request body has one reader")
                    if !state.pending.isEmpty || state.end != nil { return true }
                    state.reader = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            fail()
        }
    }
}
