import FileStorage
import TunnelDomain
import TunnelWire

/// Runs and events for people and for programs.
enum HistoryText {
    static func line(_ value: JSONValue) -> String { String(decoding: value.serialized, as: UTF8.self) }

    static func state(_ run: Run) -> (word: String, at: Timestamp, death: RunDeath?) {
        switch run.state {
        case .waiting(let until): ("waiting", until, nil)
        case .running(let since): ("running", since, nil)
        case .succeeded(let at): ("succeeded", at, nil)
        case .dead(let since, let death): ("dead", since, death)
        case .cancelled(let at): ("cancelled", at, nil)
        case .dropped(let at): ("dropped", at, nil)
        }
    }

    static func line(_ attempt: InboxAttempt) -> String {
        let verdict = attempt.hasSucceeded ? "succeeded" : "failed"
        return "attempt \(attempt.number): \(attempt.startedAt) to \(attempt.endedAt): \(verdict): \(printable(attempt.detail))"
    }

    static func row(_ run: InboxRun) -> [String] {
        let state = state(run.run)
        let word = state.death.map { "\(state.word) (\($0.rawValue))" } ?? state.word
        return [
            "\(run.id)", "\(run.eventID)", run.route, word, "\(run.run.attemptCount)", "\(state.at)", printable(run.detail),
        ]
    }

    static func row(_ event: InboxEvent) -> [String] {
        [
            "\(event.id)", event.route, "\(event.receivedAt)", printable(event.deliveryID ?? "-"), "\(event.body.count)",
            event.isWanted ? "yes" : event.filterNote == nil ? "no" : "undecided", event.address,
        ]
    }

    static func json(_ run: InboxRun) -> JSONValue {
        let state = state(run.run)
        return .members([
            "id": .integer(run.id), "event": .integer(run.eventID), "route": .string(run.route), "state": .string(state.word),
            "at": .string(state.at.iso8601), "death": .optional(state.death?.rawValue),
            "attempts": .integer(run.run.attemptCount), "created_at": .string(run.run.createdAt.iso8601),
            "expires_at": .optional(run.run.expiresAt?.iso8601), "line": .string(run.line), "detail": .string(run.detail),
            "output": .string(String(decoding: run.output, as: UTF8.self)),
        ])
    }

    static func json(_ attempt: InboxAttempt) -> JSONValue {
        .members([
            "number": .integer(attempt.number), "started_at": .string(attempt.startedAt.iso8601),
            "ended_at": .string(attempt.endedAt.iso8601), "succeeded": .bool(attempt.hasSucceeded),
            "detail": .string(attempt.detail),
        ])
    }

    static func json(_ event: InboxEvent, withBody: Bool) -> JSONValue {
        var members: [JSONMember] = [
            JSONMember("id", .integer(event.id)), JSONMember("route", .string(event.route)),
            JSONMember("delivery", .optional(event.deliveryID)), JSONMember("received_at", .string(event.receivedAt.iso8601)),
            JSONMember("method", .string(event.method)), JSONMember("target", .string(event.target)),
            JSONMember("address", .string(event.address)), JSONMember("wanted", .bool(event.isWanted)),
            JSONMember("filter_note", .optional(event.filterNote)),
            JSONMember("verdict", (try? JSONValue(parsing: Array(event.verdict.utf8))) ?? .null),
            JSONMember("bytes", .integer(event.body.count)),
        ]
        if withBody {
            members.append(JSONMember("headers", (try? JSONValue(parsing: Array(event.fields.utf8))) ?? .null))
            members.append(JSONMember("body_base64", .string(Base64.encode(event.body))))
        }
        return .object(members)
    }

    /// Text from elsewhere without what could move a terminal's cursor or forge a line.
    static func printable(_ text: String, lines: Bool = false) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    if lines, scalar == "\n" { return scalar }
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                        return "?"
                    default: return scalar
                    }
                }))
    }

    static func table(_ head: [String], _ rows: [[String]]) -> String {
        let all = [head] + rows
        let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { cells in
            zip(cells, widths).enumerated().map { index, cell in
                index == cells.count - 1 ? cell.0 : cell.0 + String(repeating: " ", count: cell.1 - cell.0.count)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
