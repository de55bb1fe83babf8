internal import Synchronization

/// Lets notices out in the order of their commits.
///
/// Commits happen one after another on the store's thread, but the tasks that wait for them go on in any order. Told out of
/// order, a deletion followed by its restoration would leave the edge without a route. So each transaction draws a ticket
/// while it is the only writer, and its notices wait for their turn.
final class NoticeOrder: Sendable {
    private struct State {
        var drawnCount = 0
        var current = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// The next ticket; every ticket that is drawn must be finished, or nobody behind it is let out.
    func draw() -> Int {
        state.withLock { state in
            defer { state.drawnCount += 1 }
            return state.drawnCount
        }
    }

    /// Returns when every earlier ticket is finished.
    func turn(of ticket: Int) async {
        await withCheckedContinuation { continuation in
            let isCurrent = state.withLock { state in
                if state.current < ticket { state.waiting[ticket] = continuation }
                return state.current == ticket
            }
            if isCurrent { continuation.resume() }
        }
    }

    /// Lets the next one out.
    func finish(_ ticket: Int) {
        let next = state.withLock { state in
            state.current = ticket + 1
            return state.waiting.removeValue(forKey: ticket + 1)
        }
        next?.resume()
    }
}

/// One transaction's ticket, drawn at most once even if the store runs the body again.
final class NoticeTicket: Sendable {
    private let order: NoticeOrder
    private let number = Mutex<Int?>(nil)

    init(of order: NoticeOrder) { self.order = order }

    func draw() {
        number.withLock { number in
            if number == nil { number = order.draw() }
        }
    }

    /// Runs the work when it is this ticket's turn, or does nothing when no ticket was drawn.
    func inTurn(_ work: () async -> Void) async {
        guard let number = number.withLock({ $0 }) else { return }
        await order.turn(of: number)
        await work()
        order.finish(number)
    }
}
