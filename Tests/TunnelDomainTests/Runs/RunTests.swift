import TestSupport
import Testing
import TunnelDomain

struct RunTests {
    static let now = Timestamp(secondsSinceEpoch: 1_000)
    static let later = Timestamp(secondsSinceEpoch: 1_060)

    enum Event: CaseIterable { case start, succeed, fail, failForGood, failLast, interrupt, giveBack, cancel, retry, drop }

    static let states: [RunState] =
        [
            .waiting(until: now), .waiting(until: later), .running(since: now), .succeeded(at: now), .cancelled(at: now),
            .dropped(at: now),
        ]
        + RunDeath.allCases.map { .dead(since: now, $0) }

    static func apply(_ event: Event, to run: inout Run) throws(RunRefusal) {
        switch event {
        case .start: _ = try run.start(at: now)
        case .succeed: try run.succeed(at: now)
        case .fail: try run.fail(isFinal: false, next: .seconds(60), at: now)
        case .failForGood: try run.fail(isFinal: true, next: .seconds(60), at: now)
        case .failLast: try run.fail(isFinal: false, next: nil, at: now)
        case .interrupt: try run.interrupt(attemptsMax: 5, at: now)
        case .giveBack: try run.giveBack(at: now)
        case .cancel: try run.cancel(at: now)
        case .retry: try run.retry(at: now)
        case .drop: try run.drop(at: now)
        }
    }

    /// The whole table: what each event makes of each state, or why it is refused.
    static func expected(_ state: RunState, _ event: Event) -> Result<RunState, RunRefusal> {
        switch (state, event) {
        case (.waiting(let until), .start): until <= now ? .success(.running(since: now)) : .failure(.notYetDue(until: until))
        case (.running, .start), (.succeeded, .start), (.dead, .start), (.cancelled, .start), (.dropped, .start):
            .failure(.notWaiting)
        case (.running, .succeed): .success(.succeeded(at: now))
        case (.running, .fail): .success(.waiting(until: later))
        case (.running, .failForGood): .success(.dead(since: now, .refused))
        case (.running, .failLast): .success(.dead(since: now, .attemptsSpent))
        case (.running, .interrupt), (.running, .giveBack): .success(.waiting(until: now))
        case (_, .succeed), (_, .fail), (_, .failForGood), (_, .failLast), (_, .interrupt), (_, .giveBack):
            .failure(.notRunning)
        case (.waiting, .cancel), (.running, .cancel): .success(.cancelled(at: now))
        case (_, .cancel): .failure(.ended)
        case (.dead, .retry): .success(.waiting(until: now))
        case (.dead, .drop): .success(.dropped(at: now))
        case (_, .retry), (_, .drop): .failure(.notDead)
        }
    }

    @Test(arguments: states, Event.allCases)
    func `every event in every state does what the table says, or changes nothing`(state: RunState, event: Event) {
        let before = Run(createdAt: Self.now, expiresAt: nil, attemptCount: 2, state: state)
        var run = before
        switch Self.expected(state, event) {
        case .success(let next):
            #expect(throws: Never.self) { try Self.apply(event, to: &run) }
            #expect(run.state == next)
        case .failure(let refusal):
            #expect(throws: refusal) { try Self.apply(event, to: &run) }
            #expect(run == before)
        }
    }

    @Test func `attempts count from one, a given-back one does not count, and the dead letter gives all back`() throws {
        var run = Run(createdAt: Self.now)
        let answer15 = try run.start(at: Self.now)
        #expect(answer15 == .begin(attempt: 1))
        try run.giveBack(at: Self.now)
        let answer16 = try run.start(at: Self.now)
        #expect(answer16 == .begin(attempt: 1))
        try run.fail(isFinal: false, next: .zero, at: Self.now)
        let answer17 = try run.start(at: Self.now)
        #expect(answer17 == .begin(attempt: 2))
        try run.fail(isFinal: true, next: nil, at: Self.now)
        try run.retry(at: Self.now)
        let answer18 = try run.start(at: Self.now)
        #expect(answer18 == .begin(attempt: 1))
    }

    @Test func `a crash in the last attempt is told to a person`() throws {
        var run = Run(createdAt: Self.now, expiresAt: nil, attemptCount: 5, state: .running(since: Self.now))
        try run.interrupt(attemptsMax: 5, at: Self.now)
        #expect(run.state == .dead(since: Self.now, .attemptsSpent))
    }

    @Test func `what expired is dead, not begun; the edge itself is in time`() throws {
        var run = Run(createdAt: Self.now, expiresAt: Self.later)
        var other = run
        let answer19 = try run.start(at: Self.later)
        #expect(answer19 == .begin(attempt: 1))
        let answer20 = try other.start(at: Self.later + .microseconds(1))
        #expect(answer20 == .expired)
        #expect(other.state == .dead(since: Self.later + .microseconds(1), .expired))
        #expect(other.attemptCount == 0)
    }

    @Test func `a run that would expire while it waits is dead at once`() throws {
        var run = Run(createdAt: Self.now, expiresAt: Self.later)
        var other = run
        _ = try run.start(at: Self.now)
        try run.fail(isFinal: false, next: .seconds(60), at: Self.now)
        #expect(run.state == .waiting(until: Self.later))
        _ = try other.start(at: Self.now)
        try other.fail(isFinal: false, next: .seconds(61), at: Self.now)
        #expect(other.state == .dead(since: Self.now, .expired))
    }

    @Test func `pauses grow to their longest, and jitter only shortens them`() throws {
        let plan = RetryPlan(attemptsMax: 10, firstDelay: .seconds(1), factor: 3, delayMax: .seconds(20), jitter: 0.5)
        let whole: [Int64] = [1, 3, 9, 20, 20, 20, 20, 20, 20]
        try checkProperty(cases: 200) { sample in
            var random = SeededGenerator(seed: sample.draw(upTo: .max))
            for (index, seconds) in whole.enumerated() {
                let delay = plan.delay(afterAttempt: index + 1, using: &random) ?? .zero
                guard delay <= .seconds(seconds), delay >= .seconds(seconds) * 0.5 - .microseconds(1) else {
                    throw FalseDelay(attempt: index + 1, delay: delay)
                }
            }
        }
        var random = SeededGenerator(seed: 1)
        #expect(plan.delay(afterAttempt: 10, using: &random) == nil)
        #expect(plan.delay(afterAttempt: 11, using: &random) == nil)
    }

    struct FalseDelay: Error { var attempt: Int, delay: Duration }

    @Test func `an inbox takes what fits to the last byte`() {
        let limits = InboxLimits(pendingEventsMax: 2, pendingByteCountMax: 10)
        #expect(limits.hasRoom(forByteCount: 4, pendingEvents: 1, pendingByteCount: 6))
        #expect(!limits.hasRoom(forByteCount: 5, pendingEvents: 1, pendingByteCount: 6))
        #expect(!limits.hasRoom(forByteCount: 0, pendingEvents: 2, pendingByteCount: 0))
    }
}
