/// One action on its way for one event: from the inbox to success, or to the dead letter.
///
/// Events and the time go in, the next state comes out. Whoever acts on it commits it first, so that a process that dies at any
/// moment leaves a state from which another one goes on.
public struct Run: Hashable, Sendable {
    /// When its event was accepted, or a person asked for it.
    public let createdAt: Timestamp
    /// After this it is not begun any more; nil for never.
    public let expiresAt: Timestamp?
    /// Attempts that were begun since it was created, or since it was taken out of the dead letter.
    public private(set) var attemptCount: Int
    public private(set) var state: RunState

    /// A run that is due at once.
    public init(createdAt: Timestamp, expiresAt: Timestamp? = nil) {
        self.init(createdAt: createdAt, expiresAt: expiresAt, attemptCount: 0, state: .waiting(until: createdAt))
    }

    /// A run as it was stored.
    public init(createdAt: Timestamp, expiresAt: Timestamp?, attemptCount: Int, state: RunState) {
        precondition(attemptCount >= 0, "attempts are counted from 0")
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.attemptCount = attemptCount
        self.state = state
    }
}

/// Where a run stands.
public enum RunState: Hashable, Sendable {
    /// Not before this moment.
    case waiting(until: Timestamp)
    /// An attempt has been begun, and nobody knows yet how it ends.
    case running(since: Timestamp)
    case succeeded(at: Timestamp)
    /// In the dead letter: it waits for a person.
    case dead(since: Timestamp, RunDeath)
    /// A person ended it.
    case cancelled(at: Timestamp)
    /// A person has taken it out of the dead letter and let it be.
    case dropped(at: Timestamp)
}

/// Why a run is in the dead letter.
public enum RunDeath: String, Hashable, Sendable, CaseIterable {
    /// Every attempt of its plan has failed.
    case attemptsSpent = "attempts_spent"
    /// The action said that trying again is useless.
    case refused
    /// Its time was over before it succeeded.
    case expired
}

/// Why a run does not take an event.
public enum RunRefusal: Error, Hashable, Sendable {
    case notWaiting
    /// It waits until a later moment.
    case notYetDue(until: Timestamp)
    case notRunning
    case notDead
    /// It has succeeded, was cancelled or dropped, or is in the dead letter.
    case ended
}

extension RunState {
    /// Whether nothing happens to it any more by itself.
    public var isEnded: Bool {
        switch self {
        case .waiting, .running: false
        case .succeeded, .dead, .cancelled, .dropped: true
        }
    }
}

// MARK: - Events

extension Run {
    /// What became of asking for a beginning.
    public enum Start: Hashable, Sendable {
        case begin(attempt: Int)
        /// Its time was over; it is in the dead letter now.
        case expired
    }

    /// Begins an attempt, unless the run's time is over.
    public mutating func start(at now: Timestamp) throws(RunRefusal) -> Start {
        guard case .waiting(let until) = state else { throw .notWaiting }
        if let expiresAt, now > expiresAt {
            state = .dead(since: now, .expired)
            return .expired
        }
        guard now >= until else { throw .notYetDue(until: until) }
        attemptCount += 1
        state = .running(since: now)
        return .begin(attempt: attemptCount)
    }

    /// The attempt did what it should.
    public mutating func succeed(at now: Timestamp) throws(RunRefusal) {
        guard case .running = state else { throw .notRunning }
        state = .succeeded(at: now)
    }

    /// The attempt failed: it waits for the next one, or goes into the dead letter.
    ///
    /// - Parameters:
    ///   - isFinal: trying again is useless.
    ///   - delay: the pause before the next attempt, from ``RetryPlan/delay(afterAttempt:using:)``; nil when there is none.
    public mutating func fail(isFinal: Bool, next delay: Duration?, at now: Timestamp) throws(RunRefusal) {
        guard case .running = state else { throw .notRunning }
        if isFinal {
            state = .dead(since: now, .refused)
        } else if let delay {
            let next = now + delay
            // A run that would only expire while it waits is told to a person now.
            let isInVain = expiresAt.map { next > $0 } ?? false
            state = isInVain ? .dead(since: now, .expired) : .waiting(until: next)
        } else {
            state = .dead(since: now, .attemptsSpent)
        }
    }

    /// The process died during the attempt, and with it the knowledge of how it ended. At least once is the promise: the run is
    /// due again at once, unless its plan has no attempt left.
    public mutating func interrupt(attemptsMax: Int, at now: Timestamp) throws(RunRefusal) {
        guard case .running = state else { throw .notRunning }
        state = attemptCount < attemptsMax ? .waiting(until: now) : .dead(since: now, .attemptsSpent)
    }

    /// A stop of the process ends the attempt before it is over; it does not count.
    public mutating func giveBack(at now: Timestamp) throws(RunRefusal) {
        guard case .running = state else { throw .notRunning }
        attemptCount -= 1
        state = .waiting(until: now)
    }

    /// A person ends a run that has not ended.
    public mutating func cancel(at now: Timestamp) throws(RunRefusal) {
        guard !state.isEnded else { throw .ended }
        state = .cancelled(at: now)
    }

    /// A person takes the run out of the dead letter; it is due at once and has all its attempts again.
    public mutating func retry(at now: Timestamp) throws(RunRefusal) {
        guard case .dead = state else { throw .notDead }
        self = Run(createdAt: createdAt, expiresAt: nil, attemptCount: 0, state: .waiting(until: now))
    }

    /// A person takes the run out of the dead letter for good.
    public mutating func drop(at now: Timestamp) throws(RunRefusal) {
        guard case .dead = state else { throw .notDead }
        state = .dropped(at: now)
    }
}
