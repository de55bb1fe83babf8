/// What a running service does when a successor or an operator wants it to end (data plane, section 8).
///
/// A successor is another process on the same data directory. It is asked to wait until nothing here writes to the store,
/// gets the listening sockets, and takes over when it says that it serves; until then everything can be taken back.
/// Successors are numbered by the shell and never used twice. Every event may come in every state, early, late or twice.
public struct ServiceLife: Hashable, Sendable {
    /// Where the service is on its way to its end.
    public enum State: Hashable, Sendable {
        /// Serves, and nobody has asked for anything else.
        case serving
        /// Still serves; what writes to the store comes to rest, so that this successor may have it.
        case resting(successor: Int)
        /// Accepts nothing: this successor has the sockets and is about to serve.
        case given(successor: Int)
        /// The successor serves. What was begun here is finished here.
        case handedOver
        /// Nobody follows. What was begun is finished.
        case draining
        /// Nothing is left to do.
        case ended
    }

    /// What happens to a service.
    public enum Event: Hashable, Sendable {
        /// A process asks to take over, in this version of the hand-over's language.
        case asked(successor: Int, version: Int)
        /// A process that asked is gone, or has given up.
        case lost(successor: Int)
        /// Nothing writes to the store any more, as was wished for this successor.
        case rested(successor: Int)
        /// The successor serves.
        case served(successor: Int)
        /// The successor has had its time.
        case timeUp(successor: Int)
        /// The operator wants the service to end.
        case terminated
        /// Everything that was begun is finished, or its time is up.
        case finished
    }

    /// Something for the shell to do, in order.
    public enum Action: Hashable, Sendable {
        /// Tell this process why it cannot take over.
        case refuse(successor: Int, Refusal)
        /// Bring everything that writes to the store to rest, then tell of it.
        case rest(successor: Int)
        /// Accept no more and send the sockets.
        case give(successor: Int)
        /// Go on as if nobody had asked.
        case resume
        /// Finish what was begun; new work goes to the successor, if there is one.
        case finishWork(hasSuccessor: Bool)
        /// End now, in good order.
        case end
        /// End now, whatever is under way.
        case endAtOnce
    }

    /// Why a process cannot take over.
    public enum Refusal: Hashable, Sendable, CaseIterable {
        /// Another one is about to.
        case busy
        /// This service has a successor already, or is about to end without one.
        case ending
        /// The two speak different versions of the hand-over's language.
        case foreignVersion
        /// It took too long to start.
        case late
    }

    /// The version of the hand-over's language that this program speaks.
    public static let version = 1

    public private(set) var state = State.serving
    /// The operator wants the end, whatever becomes of the successor.
    public private(set) var mustEnd = false

    /// A service that has just begun.
    public init() {}

    /// Takes what has happened; says what to do.
    public mutating func receive(_ event: Event) -> [Action] {
        switch event {
        case .asked(let successor, let version): asked(successor, version)
        case .lost(let successor): failed(successor, tell: nil)
        case .timeUp(let successor): failed(successor, tell: .late)
        case .rested(let successor): rested(successor)
        case .served(let successor): served(successor)
        case .terminated: terminated()
        case .finished: finished()
        }
    }

    private mutating func asked(_ successor: Int, _ version: Int) -> [Action] {
        switch state {
        case .serving:
            guard version == Self.version else { return [.refuse(successor: successor, .foreignVersion)] }
            state = .resting(successor: successor)
            return [.rest(successor: successor)]
        case .resting, .given: return [.refuse(successor: successor, .busy)]
        case .handedOver, .draining, .ended: return [.refuse(successor: successor, .ending)]
        }
    }

    private mutating func rested(_ successor: Int) -> [Action] {
        guard state == .resting(successor: successor) else { return [] }
        state = .given(successor: successor)
        return [.give(successor: successor)]
    }

    private mutating func served(_ successor: Int) -> [Action] {
        guard state == .given(successor: successor) else { return [] }
        state = .handedOver
        return [.finishWork(hasSuccessor: true)]
    }

    /// The successor does not come: everything is taken back.
    private mutating func failed(_ successor: Int, tell refusal: Refusal?) -> [Action] {
        guard state == .resting(successor: successor) || state == .given(successor: successor) else { return [] }
        var actions = refusal.map { [Action.refuse(successor: successor, $0)] } ?? []
        actions.append(.resume)
        state = mustEnd ? .draining : .serving
        if mustEnd { actions.append(.finishWork(hasSuccessor: false)) }
        return actions
    }

    /// The first wish is fulfilled politely, the second at once.
    private mutating func terminated() -> [Action] {
        let isSecond = mustEnd
        mustEnd = true
        switch state {
        case .ended: return []
        case .serving:
            state = .draining
            return [.finishWork(hasSuccessor: false)]
        case .resting, .given, .handedOver, .draining:
            guard isSecond else { return [] }
            state = .ended
            return [.endAtOnce]
        }
    }

    private mutating func finished() -> [Action] {
        switch state {
        case .handedOver, .draining:
            state = .ended
            return [.end]
        case .serving, .resting, .given, .ended: return []
        }
    }
}
