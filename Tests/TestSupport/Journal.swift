internal import Synchronization

/// What happened, in order; a test can wait for it.
package final class Journal<Entry: Sendable>: Sendable {
    private struct Waiter {
        var number: Int
        var isEnough: @Sendable ([Entry]) -> Bool
        var continuation: CheckedContinuation<[Entry], Never>
    }

    private struct State {
        var entries: [Entry] = []
        var waiters: [Waiter] = []
        var lastNumber = 0
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    package init() {}

    package var all: [Entry] { state.withLock { $0.entries } }

    package func add(_ entry: Entry) {
        let (entries, ready) = state.withLock { state in
            state.entries.append(entry)
            let ready = state.waiters.filter { $0.isEnough(state.entries) }
            let numbers = Set(ready.map(\.number))
            state.waiters.removeAll { numbers.contains($0.number) }
            return (state.entries, ready)
        }
        for waiter in ready { waiter.continuation.resume(returning: entries) }
    }

    /// Waits until the entries are enough; a test that runs out of time goes on with what there is.
    @discardableResult
    package func wait(until isEnough: @escaping @Sendable ([Entry]) -> Bool) async -> [Entry] {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let entries: [Entry]? = state.withLock { state in
                    if isEnough(state.entries) || state.cancelled.contains(number) { return state.entries }
                    state.waiters.append(Waiter(number: number, isEnough: isEnough, continuation: continuation))
                    return nil
                }
                if let entries { continuation.resume(returning: entries) }
            }
        } onCancel: {
            let (entries, waiter) = state.withLock { state in
                state.cancelled.insert(number)
                let waiter = state.waiters.first { $0.number == number }
                state.waiters.removeAll { $0.number == number }
                return (state.entries, waiter)
            }
            waiter?.continuation.resume(returning: entries)
        }
    }
}
