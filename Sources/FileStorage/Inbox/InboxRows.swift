internal import TunnelDomain
internal import TunnelService

// Rows to records and back.
enum InboxRows {
    static let eventColumns =
        "id, route, delivery_id, received_at, method, target, address, fields, body, verdict, is_wanted, filter_note"
    static let runColumns =
        "id, event_id, route, line, created_at, expires_at, attempt_count, state, state_at, death, detail, output"

    static func event(_ row: SQLRow) -> InboxEvent {
        var event = InboxEvent(
            route: row.text(1), deliveryID: row.textOrNil(2), receivedAt: time(row.integer(3)), method: row.text(4),
            target: row.text(5), address: row.text(6), fields: row.text(7), body: row.blob(8), verdict: row.text(9),
            isWanted: row.flag(10), filterNote: row.textOrNil(11))
        event.id = row.integer(0)
        return event
    }

    static func values(of event: InboxEvent) -> [SQLValue] {
        [
            .text(event.route), SQLValue(event.deliveryID), .integer(event.receivedAt.microsecondsSinceEpoch),
            .text(event.method), .text(event.target), .text(event.address), .text(event.fields), .blob(event.body),
            .text(event.verdict), SQLValue(event.isWanted), SQLValue(event.filterNote),
        ]
    }

    static func run(_ row: SQLRow) throws(SQLiteFailure) -> InboxRun {
        guard let state = state(row.text(7), time(row.integer(8)), row.textOrNil(9)) else {
            throw SQLiteFailure(code: SQLiteFailure.corruptCode, text: "run \(row.integer(0)) has no known state")
        }
        let run = Run(
            createdAt: time(row.integer(4)), expiresAt: row.integerOrNil(5).map(time), attemptCount: Int(row.integer(6)),
            state: state)
        return InboxRun(
            id: row.integer(0), eventID: row.integer(1), route: row.text(2), line: row.text(3), run: run,
            detail: row.text(10), output: row.blob(11))
    }

    static func attempt(_ row: SQLRow) -> InboxAttempt {
        InboxAttempt(
            runID: row.integer(0), number: Int(row.integer(1)), startedAt: time(row.integer(2)),
            endedAt: time(row.integer(3)), hasSucceeded: row.flag(4), detail: row.text(5))
    }

    /// `state`, `state_at` and `death`.
    static func stateValues(of run: Run) -> [SQLValue] {
        func values(_ word: String, _ at: Timestamp, _ death: RunDeath? = nil) -> [SQLValue] {
            [.text(word), .integer(at.microsecondsSinceEpoch), SQLValue(death?.rawValue)]
        }
        return switch run.state {
        case .waiting(let until): values("waiting", until)
        case .running(let since): values("running", since)
        case .succeeded(let at): values("succeeded", at)
        case .dead(let since, let death): values("dead", since, death)
        case .cancelled(let at): values("cancelled", at)
        case .dropped(let at): values("dropped", at)
        }
    }

    private static func state(_ word: String, _ at: Timestamp, _ death: String?) -> RunState? {
        switch word {
        case "waiting": .waiting(until: at)
        case "running": .running(since: at)
        case "succeeded": .succeeded(at: at)
        case "dead": death.flatMap(RunDeath.init).map { .dead(since: at, $0) }
        case "cancelled": .cancelled(at: at)
        case "dropped": .dropped(at: at)
        default: nil
        }
    }

    static func time(_ microseconds: Int64) -> Timestamp { Timestamp(microsecondsSinceEpoch: microseconds) }
}
