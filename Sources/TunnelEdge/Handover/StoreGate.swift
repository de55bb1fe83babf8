/// Lets work through that may write to the store, for as long as the store is this process's: one process writes at a time.
///
/// One for each loop, and used there only.
final class StoreGate {
    private enum State {
        case open
        /// Work waits until it is known whose the store will be.
        case held([(Bool) -> Void])
        /// Another process has it.
        case left
    }

    private var state = State.open
    /// Work that was let through and is not done.
    private(set) var underWayCount = 0

    var isAtRest: Bool {
        switch state {
        case .open: false
        case .held, .left: underWayCount == 0
        }
    }

    /// Runs the action now, or when the gate is no longer held; it is told whether the store is this process's.
    func pass(_ action: @escaping (_ isHere: Bool) -> Void) {
        switch state {
        case .open: action(true)
        case .held(var waiting):
            waiting.append(action)
            state = .held(waiting)
        case .left: action(false)
        }
    }

    /// Counts work that was let through.
    func enter() { underWayCount += 1 }
    func exit() { underWayCount -= 1 }

    /// Lets nothing more through for the time being.
    func hold() { if case .open = state { state = .held([]) } }

    /// The store stays here.
    func open() { change(to: .open, isHere: true) }

    /// Another process has the store.
    func leave() { change(to: .left, isHere: false) }

    private func change(to next: State, isHere: Bool) {
        let earlier = state
        state = next
        if case .held(let waiting) = earlier { for action in waiting { action(isHere) } }
    }
}
