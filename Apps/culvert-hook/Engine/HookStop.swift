import Synchronization

/// Carries the wish to stop to an attempt that is under way.
final class HookStop: Sendable {
    enum Reason: Sendable {
        case cancelled, shutdown

        /// What an attempt comes to that was stopped.
        var outcome: ActionOutcome {
            ActionOutcome(verdict: .failure, detail: self == .cancelled ? "cancelled" : "stopped with the listener")
        }
    }

    private struct State {
        var reason: Reason?
        var handler: (@Sendable (Reason) -> Void)?
    }

    private let state = Mutex(State())

    var reason: Reason? { state.withLock { $0.reason } }

    /// What stops the attempt; called at once when it has been asked for already.
    func whenAsked(_ handler: @escaping @Sendable (Reason) -> Void) {
        let reason = state.withLock { state in
            state.handler = handler
            return state.reason
        }
        if let reason { handler(reason) }
    }

    func ask(_ reason: Reason) {
        let handler = state.withLock { state in
            if state.reason == nil { state.reason = reason }
            return state.handler
        }
        handler?(reason)
    }
}

extension HookStop {
    /// What the work comes to. When a stop is asked for, or the limit is over, its task is cancelled and nobody waits for it.
    func outcome(within limit: Duration, of work: @escaping @Sendable () async -> ActionOutcome) async -> ActionOutcome {
        await withCheckedContinuation { continuation in
            let race = Race(continuation)
            let worker = Task { race.end(await work()) }
            let timer = Task {
                guard (try? await Task.sleep(for: limit)) != nil else { return }
                race.end(ActionOutcome(verdict: .failure, detail: "not done within \(limit.components.seconds) s"))
            }
            race.adopt([worker, timer])
            whenAsked { race.end($0.outcome) }
        }
    }
}

/// Takes the first of several outcomes, and cancels what is then of no more use.
private final class Race: Sendable {
    private struct State {
        var continuation: CheckedContinuation<ActionOutcome, Never>?
        var tasks: [Task<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ continuation: CheckedContinuation<ActionOutcome, Never>) { state = Mutex(State(continuation: continuation)) }

    func adopt(_ tasks: [Task<Void, Never>]) {
        let isOver = state.withLock { state in
            guard state.continuation != nil else { return true }
            state.tasks = tasks
            return false
        }
        if isOver { for task in tasks { task.cancel() } }
    }

    func end(_ outcome: ActionOutcome) {
        let (continuation, tasks) = state.withLock { state in
            defer { state = State() }
            return (state.continuation, state.tasks)
        }
        for task in tasks { task.cancel() }
        continuation?.resume(returning: outcome)
    }
}
