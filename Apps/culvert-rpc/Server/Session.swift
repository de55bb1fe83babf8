internal import Synchronization
internal import TunnelWire

/// One client at the other end of the pipes: its messages in, answers and notifications out.
final class Session: Sendable {
    private struct State {
        var framing = JSONRPCFraming.lines
        var ledger: CallLedger
        var tasks: [CallLedger.Number: Task<Void, Never>] = [:]
        /// Calls in line: where their answer goes, and what starts them.
        var queued: [CallLedger.Number: (slot: AnswerSlot, start: @Sendable () -> Void)] = [:]
        /// Calls that were taken back and must not be answered.
        var silenced: Set<CallLedger.Number> = []
        var emptied: [CheckedContinuation<Void, Never>] = []
        /// What this side has asked the client, and what ends the patience with it.
        var questions: [JSONRPCID: (answer: CheckedContinuation<JSON, any Error>, alarm: Task<Void, any Error>)] = [:]
        var lastQuestion: UInt64 = 0
    }

    private let state: Mutex<State>
    private let limits: Limits
    private let send: @Sendable ([UInt8]) -> Void
    private let offer: @Sendable ([UInt8]) -> Bool
    private let front: any SessionFront
    private let budget: BatchBudget

    /// - Parameters:
    ///   - offer: where notifications go; it may leave them out when the client does not read, and says so with false. Nil is
    ///     `send`.
    ///   - send: where answers go.
    init(
        limits: Limits, front: any SessionFront, offer: (@Sendable ([UInt8]) -> Bool)? = nil,
        send: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.limits = limits
        self.front = front
        budget = BatchBudget(byteCountMax: limits[.batchBytes])
        self.send = send
        self.offer =
            offer ?? {
                send($0)
                return true
            }
        state = Mutex(
            State(
                ledger: CallLedger(
                    callCountMax: limits[.calls], waitCountMax: limits[.waits], queuedCountMax: limits[.queuedCalls],
                    heldByteCountMax: limits[.queuedBytes])))
    }

    /// Takes what the reader brought.
    func receive(_ event: JSONRPCStreamReader.Event, framing: JSONRPCFraming) {
        state.withLock { $0.framing = framing }
        switch event {
        case .refused(let refusal): answer(.single(id: refusal.id), .failure(refusal.error))
        case .value(let value):
            switch JSONRPCInput(value, batchCountMax: limits[.batchMessages]) {
            case .single(let message): take(message) { .single(id: $0) }
            case .batch(let messages):
                let batch = BatchAnswer(count: messages.count, budget: budget) { [self] text in
                    send(state.withLock { $0.framing }.frame(text: text))
                }
                for message in messages { take(message, in: batch) { .batch(id: $0, batch) } }
            }
        }
    }

    /// Tells the client something unasked; a client that does not read what it was told misses it.
    ///
    /// - Parameter isAwaited: the client has asked for this very message, so it must arrive.
    /// - Returns: false when it was left out.
    @discardableResult
    func notify(_ method: String, _ params: JSON, isAwaited: Bool = false) -> Bool {
        guard case .object(let members) = params else { return false }
        let message = JSONRPCMessage.notification(method: method, params: .named(members)).json
        guard isAwaited else { return offer(state.withLock { $0.framing }.frame(message)) }
        put(message)
        return true
    }

    private func put(_ message: JSON) {
        let framing = state.withLock { $0.framing }
        send(framing.frame(message))
    }

    private func answer(_ slot: AnswerSlot, _ result: Result<JSON, JSONRPCError>) {
        switch slot {
        case .none: break
        case .single(let id): put(JSONRPCMessage.response(id: id, result).json)
        case .batch(let id, let batch): batch.take(id, result)
        }
    }
}

// MARK: - Messages

extension Session {
    private func take(
        _ message: Result<JSONRPCMessage, JSONRPCRefusal>, in batch: BatchAnswer? = nil, slot: (JSONRPCID) -> AnswerSlot
    ) {
        switch message {
        case .failure(let refusal): answer(slot(refusal.id), .failure(refusal.error))
        case .success(.request(let id, let method, let params)): begin(method, params, slot(id))
        case .success(.notification(let method, let params)):
            notified(method, params)
            batch?.giveUp()
        case .success(.response(let id, let result)):
            answered(id, result)
            batch?.giveUp()
        }
    }

    private func notified(_ method: String, _ params: JSONRPCParams) {
        switch method {
        case "$/cancelRequest":
            if let id = params["id"].flatMap({ JSONRPCID($0) }) { cancel(id, isAnswered: true) }
        case "notifications/cancelled":
            if let id = params["requestId"].flatMap({ JSONRPCID($0) }) { cancel(id, isAnswered: false) }
        default: begin(method, params, .none)
        }
    }

    private func begin(_ method: String, _ params: JSONRPCParams, _ slot: AnswerSlot) {
        let call = Call(id: slot.id, params: params, report: front.reporter(method, params, self))
        switch front.work(for: method, call, isNotification: slot.id == nil) {
        case .failure(let error): answer(slot, .failure(error))
        case .success(.now(let work)): answer(slot, Result { try work(call) }.mapError(front.error))
        case .success(.later(let lane, let work)): later(lane, slot, params) { try await work(call) }
        }
    }

    private func later(
        _ lane: CallLedger.Lane, _ slot: AnswerSlot, _ params: JSONRPCParams,
        _ work: @escaping @Sendable () async throws -> JSON
    ) {
        enum Decision { case start(CallLedger.Number), queued, refuse(String) }
        let decision = state.withLock { state -> Decision in
            switch state.ledger.admit(slot.id, lane: lane, byteCount: params.json?.serialized.count ?? 0) {
            case .start(let number): return .start(number)
            case .queue(let number):
                state.queued[number] = (slot, { [self] in start(number, slot, work) })
                return .queued
            case .refuse(let why): return .refuse(why)
            }
        }
        switch decision {
        case .start(let number): start(number, slot, work)
        case .queued: break
        case .refuse(let why): answer(slot, .failure(RPCFailure.overloaded(why)))
        }
    }

    private func start(_ number: CallLedger.Number, _ slot: AnswerSlot, _ work: @escaping @Sendable () async throws -> JSON) {
        // The task ends under the same lock that it is remembered under, so that none is remembered after its end.
        state.withLock { state in
            state.tasks[number] = Task.detached { [self] in
                let result: Result<JSON, JSONRPCError>
                do { result = .success(try await work()) } catch { result = .failure(front.error(error)) }
                ended(number, slot, result)
            }
        }
    }

    private func ended(_ number: CallLedger.Number, _ slot: AnswerSlot, _ result: Result<JSON, JSONRPCError>) {
        let isSilenced = state.withLock { $0.silenced.contains(number) }
        if isSilenced { giveUp(slot) } else { answer(slot, result) }
        let (next, emptied) = state.withLock { state -> ((@Sendable () -> Void)?, [CheckedContinuation<Void, Never>]) in
            state.tasks[number] = nil
            state.silenced.remove(number)
            let next = state.ledger.ended(number).flatMap { state.queued.removeValue(forKey: $0)?.start }
            guard state.ledger.isEmpty else { return (next, []) }
            defer { state.emptied = [] }
            return (next, state.emptied)
        }
        next?()
        for continuation in emptied { continuation.resume() }
    }
}

// MARK: - Asking the client

extension Session {
    /// The client did not answer in time.
    struct Unanswered: Error, Hashable {}

    /// Asks the client something, and gives its result.
    ///
    /// - Parameters:
    ///   - params: an object.
    ///   - limit: how long the answer may take.
    /// - Throws: the client's own error, a `JSONRPCError`; `Unanswered` when the time is over, `CancellationError` when the
    ///   task is cancelled. In the last two cases the client is told that nobody waits for its answer any more.
    func ask(_ method: String, _ params: JSON, within limit: Duration) async throws -> JSON {
        let id = state.withLock { state in
            state.lastQuestion += 1
            return JSONRPCID.string("culvert-\(state.lastQuestion)")
        }
        let question = JSONRPCMessage.request(id: id, method: method, params: .named(params.objectMembers ?? []))
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { state in
                    let alarm = Task { [self] in
                        try await Task.sleep(for: limit)
                        withdraw(id, "nobody answered in time", Unanswered())
                    }
                    state.questions[id] = (continuation, alarm)
                }
                put(question.json)
                // The handler below may have come before the question was there.
                if Task.isCancelled { withdraw(id, "the call was cancelled", CancellationError()) }
            }
        } onCancel: {
            withdraw(id, "the call was cancelled", CancellationError())
        }
    }

    /// An answer to what nobody waits for any more is left alone.
    private func answered(_ id: JSONRPCID, _ result: Result<JSON, JSONRPCError>) {
        guard let question = state.withLock({ $0.questions.removeValue(forKey: id) }) else { return }
        question.alarm.cancel()
        question.answer.resume(with: result.mapError { $0 as any Error })
    }

    private func withdraw(_ id: JSONRPCID, _ reason: String, _ error: any Error) {
        guard let question = state.withLock({ $0.questions.removeValue(forKey: id) }) else { return }
        question.alarm.cancel()
        notify(
            "notifications/cancelled", .members(["requestId": id.json, "reason": .string(reason)]), isAwaited: true)
        question.answer.resume(throwing: error)
    }
}

// MARK: - Taking back, and the end

extension Session {
    /// - Parameter isAnswered: whether the call is told that it was cancelled; the Model Context Protocol wants silence.
    private func cancel(_ id: JSONRPCID, isAnswered: Bool) {
        let (tasks, slots) = state.withLock { state -> ([Task<Void, Never>], [AnswerSlot]) in
            var tasks: [Task<Void, Never>] = []
            var slots: [AnswerSlot] = []
            for cancellation in state.ledger.cancel(id) {
                switch cancellation {
                case .running(let number):
                    if !isAnswered { state.silenced.insert(number) }
                    if let task = state.tasks[number] { tasks.append(task) }
                case .queued(let number):
                    if let slot = state.queued.removeValue(forKey: number)?.slot { slots.append(slot) }
                }
            }
            return (tasks, slots)
        }
        for task in tasks { task.cancel() }
        for slot in slots {
            if isAnswered { answer(slot, .failure(.cancelled)) } else { giveUp(slot) }
        }
    }

    /// Leaves a call without an answer; its batch goes out without it.
    private func giveUp(_ slot: AnswerSlot) {
        switch slot {
        case .none, .single: break
        case .batch(_, let batch): batch.giveUp()
        }
    }

    /// Stops the calls that wait for something to happen, or all of them.
    func cancelCalls(_ isMeant: (CallLedger.Lane) -> Bool) {
        let tasks = state.withLock { state in
            state.ledger.all.filter { state.ledger.lane(of: $0).map(isMeant) == true }.compactMap { state.tasks[$0] }
        }
        for task in tasks { task.cancel() }
    }

    /// Returns when no call is under way.
    func finished() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.ledger.isEmpty { state.emptied.append(continuation) }
                return state.ledger.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }
}

/// What stands behind a session: which methods there are, and what its errors are called.
protocol SessionFront: Sendable {
    func work(for method: String, _ call: Call, isNotification: Bool) -> Result<Work, JSONRPCError>
    /// What carries the call's progress to the client; nil when it has not asked for that.
    func reporter(_ method: String, _ params: JSONRPCParams, _ session: Session) -> (@Sendable (Progress) -> Void)?
    func error(_ error: any Error) -> JSONRPCError
}
