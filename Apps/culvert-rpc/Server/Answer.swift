internal import Synchronization
internal import TunnelWire

/// Where the answer to one message goes: out at once, or into the answer of its batch. A notification's goes nowhere.
enum AnswerSlot: Sendable {
    case none
    case single(id: JSONRPCID)
    case batch(id: JSONRPCID, BatchAnswer)

    var id: JSONRPCID? {
        switch self {
        case .none: nil
        case .single(let id), .batch(let id, _): id
        }
    }
}

/// The answers to the messages of a batch, which go out together when all are there (JSON-RPC 2.0 section 6).
final class BatchAnswer: Sendable {
    private struct State {
        var missingCount: Int
        /// The answers so far, as they will stand between the brackets.
        var text: [UInt8] = []
        /// Room of the budget that they take.
        var heldByteCount = 0
    }

    private let state: Mutex<State>
    private let budget: BatchBudget
    private let send: @Sendable ([UInt8]) -> Void

    /// - Parameters:
    ///   - count: messages that will be answered, or given up.
    ///   - send: takes the JSON text of the whole answer.
    init(count: Int, budget: BatchBudget, send: @escaping @Sendable ([UInt8]) -> Void) {
        state = Mutex(State(missingCount: count))
        self.budget = budget
        self.send = send
    }

    /// Leaves a call without an answer.
    func giveUp() { take([]) }

    /// Takes one answer; when there is no room for it until the others are there, an error stands in for it.
    func take(_ id: JSONRPCID, _ result: Result<JSON, JSONRPCError>) {
        let answer = JSONRPCMessage.response(id: id, result).json.serialized
        if case .failure = result { return take(answer) }
        guard budget.take(answer.count) else {
            let why = "the answers of open batches would be more than \(budget.byteCountMax) bytes; "
            let error = RPCFailure.overloaded(
                why + "the call was carried out. Ask in smaller batches, or --limit batch-bytes=N")
            return take(JSONRPCMessage.response(id: id, .failure(error)).json.serialized)
        }
        take(answer, heldByteCount: answer.count)
    }

    private func take(_ answer: [UInt8], heldByteCount: Int = 0) {
        let text = state.withLock { state -> [UInt8]? in
            if !answer.isEmpty {
                state.text.append(UInt8(ascii: state.text.isEmpty ? "[" : ","))
                state.text += answer
            }
            state.heldByteCount += heldByteCount
            state.missingCount -= 1
            guard state.missingCount == 0 else { return nil }
            budget.give(state.heldByteCount)
            return state.text
        }
        if let text, !text.isEmpty { send(text + [UInt8(ascii: "]")]) }
    }
}

/// Room for answers that are kept until their batch is complete, in all batches together. Errors need none: there are no more
/// of them than calls.
final class BatchBudget: Sendable {
    let byteCountMax: Int
    private let usedByteCount = Mutex(0)

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// Takes room for so many bytes; false when there is not so much.
    func take(_ byteCount: Int) -> Bool {
        usedByteCount.withLock { used in
            guard byteCount <= byteCountMax - used else { return false }
            used += byteCount
            return true
        }
    }

    func give(_ byteCount: Int) { usedByteCount.withLock { $0 -= byteCount } }
}
