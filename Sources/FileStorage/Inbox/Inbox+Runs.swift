package import TunnelDomain
internal import TunnelService

// What happens to runs: each change is the state machine's, committed before it is acted on.
extension Inbox {
    /// Every run that has not ended and is in no dead letter, the oldest first.
    package func openRuns() async throws -> [InboxRun] {
        try await reader.perform { store in
            try store.rows(
                "SELECT \(InboxRows.runColumns) FROM runs WHERE state IN ('waiting', 'running') ORDER BY id", []
            ) { row throws(SQLiteFailure) in try InboxRows.run(row) }
        }
    }

    /// How many bytes the event of each run has that is not done, the dead letter included.
    package func openSizes() async throws -> [(runID: Int64, byteCount: Int)] {
        try await reader.perform { store in
            try store.rows(
                """
                SELECT runs.id, length(events.body) FROM runs JOIN events ON events.id = runs.event_id
                WHERE runs.state IN ('waiting', 'running', 'dead')
                """, []
            ) { (runID: $0.integer(0), byteCount: Int($0.integer(1))) }
        }
    }

    /// Lets a run take an event, and stores what it makes of it. Nil when there is no such run.
    ///
    /// - Parameter attempt: an attempt that ended with it, with what it wrote.
    package func change<Answer: Sendable>(
        run id: Int64, attempt: InboxAttempt? = nil, output: [UInt8]? = nil,
        _ event: @escaping @Sendable (inout Run) throws(RunRefusal) -> Answer
    ) async throws -> (answer: Answer, run: InboxRun)? {
        try await writer.perform { store in
            guard var stored = try store.inboxRun(id) else { return nil }
            let answer = try event(&stored.run)
            if let attempt {
                stored.detail = attempt.detail
                try store.insert(attempt)
            }
            if let output { stored.output = output }
            try store.update(stored)
            return (answer, stored)
        }
    }

    /// Stores an attempt that ended after a person had ended its run; the run stays as it is.
    package func note(_ attempt: InboxAttempt, output: [UInt8]) async throws {
        try await writer.perform { store in
            guard var stored = try store.inboxRun(attempt.runID) else { return }
            stored.detail = attempt.detail
            stored.output = output
            try store.insert(attempt)
            try store.update(stored)
        }
    }

    /// What was under way when the process died is due again, or in the dead letter; `attemptsMax` is asked with the route.
    package func interruptRuns(
        at now: Timestamp, attemptsMax: @escaping @Sendable (_ route: String) -> Int
    ) async throws -> Int {
        try await writer.perform { store in
            let running = try store.rows(
                "SELECT \(InboxRows.runColumns) FROM runs WHERE state = 'running' ORDER BY id", []
            ) { row throws(SQLiteFailure) in try InboxRows.run(row) }
            for var stored in running {
                guard case .running(let since) = stored.run.state else { continue }
                let attempt = InboxAttempt(
                    runID: stored.id, number: stored.run.attemptCount, startedAt: since, endedAt: now, hasSucceeded: false,
                    detail: "the listener ended during the attempt")
                try stored.run.interrupt(attemptsMax: attemptsMax(stored.route), at: now)
                stored.detail = attempt.detail
                try store.insert(attempt)
                try store.update(stored)
            }
            return running.count
        }
    }

    /// The event with its body.
    package func event(_ id: Int64) async throws -> InboxEvent? {
        try await reader.perform { store in
            try store.row("SELECT \(InboxRows.eventColumns) FROM events WHERE id = ?", [.integer(id)]) {
                InboxRows.event($0)
            }
        }
    }

    package func run(_ id: Int64) async throws -> InboxRun? { try await reader.perform { try $0.inboxRun(id) } }

    package func attempts(of runID: Int64) async throws -> [InboxAttempt] {
        try await reader.perform { store in
            try store.rows(
                """
                SELECT run_id, number, started_at, ended_at, has_succeeded, detail FROM attempts
                WHERE run_id = ? ORDER BY id
                """, [.integer(runID)]
            ) { InboxRows.attempt($0) }
        }
    }

    package func runs(ofEvent id: Int64) async throws -> [InboxRun] {
        try await reader.perform { store in
            try store.rows("SELECT \(InboxRows.runColumns) FROM runs WHERE event_id = ? ORDER BY id", [.integer(id)]) {
                row throws(SQLiteFailure) in try InboxRows.run(row)
            }
        }
    }

    /// Runs, the newest first.
    package func runs(state: String? = nil, route: String? = nil, before id: Int64? = nil, countMax: Int) async throws
        -> [InboxRun]
    {
        try await reader.perform { store in
            try store.rows(
                """
                SELECT \(InboxRows.runColumns) FROM runs
                WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR route = ?2) AND (?3 IS NULL OR id < ?3)
                ORDER BY id DESC LIMIT ?4
                """, [SQLValue(state), SQLValue(route), SQLValue(id), .integer(Int64(countMax))]
            ) { row throws(SQLiteFailure) in try InboxRows.run(row) }
        }
    }

    /// Events, the newest first.
    package func events(route: String? = nil, before id: Int64? = nil, countMax: Int) async throws -> [InboxEvent] {
        try await reader.perform { store in
            try store.rows(
                """
                SELECT \(InboxRows.eventColumns) FROM events
                WHERE (?1 IS NULL OR route = ?1) AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3
                """, [SQLValue(route), SQLValue(id), .integer(Int64(countMax))]
            ) { InboxRows.event($0) }
        }
    }

    /// How many runs are in each state.
    package func runCounts() async throws -> [String: Int] {
        let rows = try await reader.perform { store in
            try store.rows("SELECT state, count(*) FROM runs GROUP BY state", []) { ($0.text(0), Int($0.integer(1))) }
        }
        return Dictionary(uniqueKeysWithValues: rows)
    }
}

// MARK: - Wishes

extension Inbox {
    /// Does what a person asks; only for the process that owns the inbox.
    package func fulfil(_ wish: InboxWish, at now: Timestamp) async throws -> InboxWishOutcome {
        try await writer.perform { try $0.outcome(of: wish, at: now) }
    }

    /// Does what another process asks, and leaves the answer for it in the same commit: a process that dies has done both, or
    /// neither. Nil when the wish has been answered before.
    package func fulfil(
        wish id: Int64, _ wish: InboxWish, at now: Timestamp, answer: @escaping @Sendable (InboxWishOutcome) -> String
    ) async throws -> InboxWishOutcome? {
        try await writer.perform { store in
            let isOpen = try store.row("SELECT 1 FROM wishes WHERE id = ? AND answer IS NULL", [.integer(id)]) { _ in true }
            guard isOpen == true else { return nil }
            let outcome = try store.outcome(of: wish, at: now)
            try store.change("UPDATE wishes SET answer = ? WHERE id = ?", [.text(answer(outcome)), .integer(id)])
            try store.change("DELETE FROM wishes WHERE id < ? AND answer IS NOT NULL", [.integer(id - 1000)])
            return outcome
        }
    }

    /// Leaves a wish for the owner and gives its number.
    package func leave(_ wish: InboxWish) async throws -> Int64 {
        try await writer.perform { store in
            try store.change(
                "INSERT INTO wishes (act, subject) VALUES (?, ?)", [.text(wish.act.rawValue), .integer(wish.subject)])
            return try store.lastInsertedID()
        }
    }

    /// The wishes that nobody has answered.
    package func openWishes() async throws -> [(id: Int64, wish: InboxWish)] {
        try await reader.perform { store in
            try store.rows("SELECT id, act, subject FROM wishes WHERE answer IS NULL ORDER BY id", []) { row in
                (row.integer(0), row.text(1), row.integer(2))
            }.compactMap { id, act, subject in InboxWish.Act(rawValue: act).map { (id, InboxWish($0, subject)) } }
        }
    }

    /// What the owner answered, or nil as long as it has not.
    package func answer(toWish id: Int64) async throws -> String? {
        try await reader.perform { store in
            try store.row("SELECT answer FROM wishes WHERE id = ?", [.integer(id)]) { $0.textOrNil(0) } ?? nil
        }
    }
}

extension SQLiteTransaction {
    func inboxRun(_ id: Int64) throws(StoreError) -> InboxRun? {
        try row("SELECT \(InboxRows.runColumns) FROM runs WHERE id = ?", [.integer(id)]) { row throws(SQLiteFailure) in
            try InboxRows.run(row)
        }
    }

    fileprivate func update(_ stored: InboxRun) throws(StoreError) {
        try change(
            """
            UPDATE runs SET state = ?, state_at = ?, death = ?, attempt_count = ?, expires_at = ?, detail = ?, output = ?
            WHERE id = ?
            """,
            InboxRows.stateValues(of: stored.run) + [
                .integer(Int64(stored.run.attemptCount)), SQLValue(stored.run.expiresAt?.microsecondsSinceEpoch),
                .text(stored.detail), .blob(stored.output), .integer(stored.id),
            ])
    }

    fileprivate func insert(_ attempt: InboxAttempt) throws(StoreError) {
        try change(
            "INSERT INTO attempts (run_id, number, started_at, ended_at, has_succeeded, detail) VALUES (?, ?, ?, ?, ?, ?)",
            [
                .integer(attempt.runID), .integer(Int64(attempt.number)),
                .integer(attempt.startedAt.microsecondsSinceEpoch), .integer(attempt.endedAt.microsecondsSinceEpoch),
                SQLValue(attempt.hasSucceeded), .text(attempt.detail),
            ])
    }

    fileprivate func outcome(of wish: InboxWish, at now: Timestamp) throws -> InboxWishOutcome {
        do {
            return try fulfil(wish, at: now)
        } catch let refusal as RunRefusal {
            return .refused(refusal)
        }
    }

    private func fulfil(_ wish: InboxWish, at now: Timestamp) throws -> InboxWishOutcome {
        if wish.act == .replay {
            let event = try row(
                "SELECT \(InboxRows.eventColumns) FROM events WHERE id = ?", [.integer(wish.subject)]
            ) { InboxRows.event($0) }
            guard let event else { return .notFound }
            // In the line of its first run: two runs of one event must never run beside each other.
            let first = try row("SELECT line FROM runs WHERE event_id = ? ORDER BY id LIMIT 1", [.integer(event.id)]) {
                $0.text(0)
            }
            let key = first.flatMap(Self.orderKey)
            return .done(run: try insert(Run(createdAt: now), eventID: event.id, route: event.route, line: key))
        }
        guard var stored = try inboxRun(wish.subject) else { return .notFound }
        switch wish.act {
        case .rerun:
            // In the line of the first one: the two must never run beside each other.
            let run = try insert(
                Run(createdAt: now), eventID: stored.eventID, route: stored.route, line: Self.orderKey(of: stored.line))
            return .done(run: run)
        case .cancel: try stored.run.cancel(at: now)
        case .retry: try stored.run.retry(at: now)
        case .drop: try stored.run.drop(at: now)
        case .replay: preconditionFailure("it was dealt with above")
        }
        try update(stored)
        return .done(run: stored)
    }

    /// What the runs of a line stay in order by; nil for the line of one event.
    private static func orderKey(of line: String) -> String? { line.hasPrefix("key:") ? String(line.dropFirst(4)) : nil }
}
