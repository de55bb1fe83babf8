import FileStorage
import Foundation
import TunnelDomain
import TunnelService
import TunnelWire

/// Runs what is in the inbox: decides by `RunSchedule`, commits what `Run` says, then acts.
actor Dispatcher {
    private let inbox: Inbox
    private let clock: any WallClock
    private let log: HookLog
    private let metrics: HookMetrics
    private let lockFolder: String
    private let makeAction: @Sendable (RouteConfig) -> any HookAction

    private var routes: [String: (config: RouteConfig, action: any HookAction)] = [:]
    private var schedule = RunSchedule()
    private var stops: [Int64: HookStop] = [:]
    /// Bytes of the bodies of what is not done, by run; their number is the backlog.
    private var openRuns: [Int64: Int] = [:]
    private var openByteCount = 0
    private var reservedCount = 0
    private var reservedByteCount = 0
    private var limits: InboxLimits
    private var waiters: [Int64: [CheckedContinuation<ActionOutcome?, Never>]] = [:]
    /// Runs that a person took out of the dead letter before their last attempt had left the schedule.
    private var revived: [Int64: InboxRun] = [:]
    private var alarm: Task<Void, Never>?
    private var isStopping = false
    private var idleWaiters: [CheckedContinuation<Void, Never>] = []

    /// Bytes of an attempt's output that the history keeps: an answer to a waiting sender may be longer.
    private static let storedOutputByteCountMax = 1 << 20
    /// Before a change that the store refused is tried again.
    private static let storePause: Duration = .seconds(2)

    init(
        inbox: Inbox, clock: any WallClock, log: HookLog, metrics: HookMetrics, lockFolder: String, limits: InboxLimits,
        makeAction: @escaping @Sendable (RouteConfig) -> any HookAction
    ) {
        self.inbox = inbox
        self.clock = clock
        self.log = log
        self.metrics = metrics
        self.lockFolder = lockFolder
        self.limits = limits
        self.makeAction = makeAction
    }

    // MARK: - Beginning

    /// Takes up what an earlier process left: what was under way is due again, after the programs that survived it are gone.
    func recover(_ config: HookConfig) async throws {
        let plans = Dictionary(uniqueKeysWithValues: config.routes.map { ($0.name, $0.plan.attemptsMax) })
        let interrupted = try await inbox.interruptRuns(at: clock.now) { plans[$0] ?? RetryPlan.usual.attemptsMax }
        if interrupted > 0 { log.note("runs.interrupted", [("count", "\(interrupted)")]) }
        configure(config)
        for (id, byteCount) in try await inbox.openSizes() { count(id, byteCount: byteCount) }
        for run in try await inbox.openRuns() {
            if let entry = run.scheduleEntry { schedule.add(entry) }
        }
        pump()
    }

    /// Takes the routes of a new configuration; runs of a route that is no more wait until it comes back.
    func configure(_ config: HookConfig) {
        limits = config.limits
        for name in routes.keys where !config.routes.contains(where: { $0.name == name }) { schedule.allow(0, for: name) }
        routes = Dictionary(uniqueKeysWithValues: config.routes.map { ($0.name, ($0, makeAction($0))) })
        for route in config.routes { schedule.allow(route.concurrencyMax, for: route.name) }
        pump()
    }

    // MARK: - Room

    /// Sets room aside for an event that is about to be stored; nil when there is none, with the seconds to wait.
    func reserve(byteCount: Int) -> Bool {
        let hasRoom = limits.hasRoom(
            forByteCount: byteCount, pendingEvents: openRuns.count + reservedCount,
            pendingByteCount: openByteCount + reservedByteCount)
        guard hasRoom, !isStopping else { return false }
        reservedCount += 1
        reservedByteCount += byteCount
        return true
    }

    var retryAfterSeconds: Int { limits.retryAfterSeconds }

    /// The event was stored, or was not: the room that was set aside is used or free again.
    func settle(byteCount: Int, run: InboxRun?) {
        reservedCount -= 1
        reservedByteCount -= byteCount
        guard let run else { return }
        add(run, byteCount: byteCount)
    }

    private func count(_ id: Int64, byteCount: Int) {
        guard openRuns[id] == nil else { return }
        openRuns[id] = byteCount
        openByteCount += byteCount
    }

    private func uncount(_ id: Int64) {
        openByteCount -= openRuns.removeValue(forKey: id) ?? 0
        metrics.setBacklog(
            waiting: schedule.waitingCount, running: schedule.runningCount, open: openRuns.count, bytes: openByteCount)
    }

    /// Takes a run that is in the inbox.
    private func add(_ run: InboxRun, byteCount: Int) {
        count(run.id, byteCount: byteCount)
        if let entry = run.scheduleEntry { schedule.add(entry) }
        pump()
    }

    // MARK: - Running

    private func pump() {
        guard !isStopping else { return }
        for entry in schedule.begin(at: clock.now) {
            let stop = HookStop()
            stops[entry.id] = stop
            Task { await self.perform(entry, stop) }
        }
        metrics.setBacklog(
            waiting: schedule.waitingCount, running: schedule.runningCount, open: openRuns.count, bytes: openByteCount)
        alarm?.cancel()
        alarm = nil
        guard let due = schedule.nextDue() else { return }
        let pause = max(.milliseconds(1), due - clock.now)
        alarm = Task {
            guard (try? await Task.sleep(for: pause)) != nil else { return }
            self.pump()
        }
    }

    private func perform(_ entry: RunSchedule.Entry, _ stop: HookStop) async {
        do {
            let now = clock.now
            guard
                let (start, stored) = try await inbox.change(
                    run: entry.id, { run throws(RunRefusal) in try run.start(at: now) })
            else { return finish(entry, nil, nil) }
            switch start {
            case .expired:
                metrics.count(.run, route: entry.route, "expired")
                log.note("run.dead", [("run", "\(entry.id)"), ("route", entry.route), ("why", "expired")])
                finish(entry, stored, nil)
            case .begin(let attempt): await makeAttempt(attempt, of: stored, entry, stop, since: now)
            }
        } catch RunRefusal.notYetDue(let due) {
            // The clock was set back since it was found due.
            putOff(entry, until: due)
        } catch is RunRefusal {
            // A person was faster: it is cancelled.
            finish(entry, nil, nil)
        } catch {
            log.note("store.failed", [("run", "\(entry.id)"), ("error", "\(error)")])
            putOff(entry, until: clock.now + Self.storePause)
        }
    }

    private func makeAttempt(
        _ number: Int, of stored: InboxRun, _ entry: RunSchedule.Entry, _ stop: HookStop, since startedAt: Timestamp
    ) async {
        var outcome: ActionOutcome
        if let route = routes[entry.route] {
            // What cannot be read is tried again after a pause, as any other attempt that failed.
            if let event = try? await inbox.event(stored.eventID) {
                let job = HookJob(
                    route: route.config, event: event, runID: entry.id, attempt: number,
                    lockPath: "\(lockFolder)/run-\(entry.id)")
                outcome = await route.action.perform(job, stop: stop)
            } else {
                outcome = ActionOutcome(verdict: .failure, detail: "the event cannot be read from the inbox")
            }
            if stop.reason == .shutdown, outcome.verdict != .success { outcome.verdict = .givenBack }
        } else {
            // It waits until the route comes back.
            outcome = ActionOutcome(verdict: .givenBack, detail: "the route is gone")
        }
        await store(outcome, of: stored, entry, stop, since: startedAt)
    }

    /// Commits how the attempt ended, however long the store takes: until then nothing of it is known.
    private func store(
        _ outcome: ActionOutcome, of stored: InboxRun, _ entry: RunSchedule.Entry, _ stop: HookStop, since startedAt: Timestamp
    ) async {
        let now = clock.now
        var random = SystemRandomNumberGenerator()
        let number = stored.run.attemptCount
        let delay = (routes[entry.route]?.config.plan ?? .usual).delay(afterAttempt: number, using: &random)
        let attempt = InboxAttempt(
            runID: entry.id, number: number, startedAt: startedAt, endedAt: now, hasSucceeded: outcome.verdict == .success,
            detail: outcome.detail)
        let output = Array(outcome.output.prefix(Self.storedOutputByteCountMax))
        while true {
            do {
                let change = try await inbox.change(run: entry.id, attempt: attempt, output: output) {
                    run throws(RunRefusal) in
                    switch outcome.verdict {
                    case .success: try run.succeed(at: now)
                    case .failure: try run.fail(isFinal: false, next: delay, at: now)
                    case .finalFailure: try run.fail(isFinal: true, next: nil, at: now)
                    case .givenBack: try run.giveBack(at: now)
                    }
                }
                tell(outcome, entry, change?.run)
                return finish(entry, change?.run, outcome)
            } catch is RunRefusal {
                // A person ended the run meanwhile; the attempt is history all the same.
                tell(outcome, entry, nil, isCancelled: true)
                try? await inbox.note(attempt, output: output)
                return finish(entry, nil, outcome)
            } catch {
                log.note("store.failed", [("run", "\(entry.id)"), ("error", "\(error)")])
                guard !isStopping else { return finish(entry, nil, outcome) }
                try? await Task.sleep(for: Self.storePause)
            }
        }
    }

    private func tell(
        _ outcome: ActionOutcome, _ entry: RunSchedule.Entry, _ run: InboxRun?, isCancelled: Bool = false
    ) {
        let verdict =
            switch outcome.verdict {
            case _ where isCancelled: "cancelled"
            case .success: "succeeded"
            case .failure: "failed"
            case .finalFailure: "refused"
            case .givenBack: "given_back"
            }
        metrics.count(.run, route: entry.route, verdict)
        var fields = [("run", "\(entry.id)"), ("route", entry.route), ("outcome", verdict), ("detail", outcome.detail)]
        if case .dead(_, let death)? = run?.run.state { fields.append(("dead", death.rawValue)) }
        log.note("run.ended", fields)
    }

    /// The entry's place is free; the run is over, or waits again.
    private func finish(_ entry: RunSchedule.Entry, _ run: InboxRun?, _ outcome: ActionOutcome?) {
        stops[entry.id] = nil
        let run = revived.removeValue(forKey: entry.id) ?? run
        var next: Timestamp?
        if case .waiting(let due)? = run?.run.state { next = isStopping ? nil : due }
        schedule.ended(entry, next: next)
        switch run?.run.state {
        case .waiting, .running, .dead: break
        case .succeeded, .cancelled, .dropped, nil: uncount(entry.id)
        }
        if run?.run.state.isEnded ?? true { answerWaiters(entry.id, outcome) }
        pump()
        if schedule.runningCount == 0 {
            let waiting = idleWaiters
            idleWaiters = []
            for waiter in waiting { waiter.resume() }
        }
    }

    private func putOff(_ entry: RunSchedule.Entry, until due: Timestamp) {
        stops[entry.id] = nil
        schedule.ended(entry, next: due)
        pump()
    }

    // MARK: - Waiting for an answer

    /// What the run came to, or nil when that is not known within the time.
    func outcome(of run: InboxRun, byteCount: Int, within limit: Duration) async -> ActionOutcome? {
        let id = run.id
        let deadline = Task {
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            self.answerWaiters(id, nil)
        }
        defer { deadline.cancel() }
        return await withCheckedContinuation { continuation in
            waiters[id, default: []].append(continuation)
            // Only now: nobody can have missed the end.
            settle(byteCount: byteCount, run: run)
        }
    }

    private func answerWaiters(_ id: Int64, _ outcome: ActionOutcome?) {
        for waiter in waiters.removeValue(forKey: id) ?? [] { waiter.resume(returning: outcome) }
    }

    // MARK: - What people ask for

    func fulfil(wish id: Int64, _ wish: InboxWish) async throws {
        let outcome = try await inbox.fulfil(wish: id, wish, at: clock.now) { WishAnswer.text(of: $0) }
        guard case .done(let run)? = outcome else { return }
        switch run.run.state {
        case .waiting:
            // It is committed: a size that cannot be read now must not keep it from running.
            let byteCount = (try? await inbox.event(run.eventID))?.body.count ?? 0
            // An attempt that has just ended may still have its place in the schedule.
            if stops[run.id] != nil { revived[run.id] = run } else { add(run, byteCount: byteCount) }
        case .running, .dead, .succeeded: break
        case .cancelled, .dropped:
            schedule.remove(id: run.id, route: run.route, line: run.line)
            // A run that is under way keeps its place until its program is really gone.
            if let stop = stops[run.id] { stop.ask(.cancelled) } else { uncount(run.id) }
            answerWaiters(run.id, nil)
            pump()
        }
    }

    // MARK: - Ending

    /// Begins nothing more, and gives what is under way so much time before it is stopped.
    func stop(within limit: Duration) async {
        isStopping = true
        alarm?.cancel()
        let stopper = Task {
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            self.stopNow()
        }
        if schedule.runningCount > 0 { await withCheckedContinuation { idleWaiters.append($0) } }
        stopper.cancel()
    }

    /// Stops what is under way; it is due again at the next start.
    func stopNow() { for stop in stops.values { stop.ask(.shutdown) } }
}
