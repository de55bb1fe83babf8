import FileStorage
import Foundation
import SystemClock
import TunnelDomain
import TunnelWire

/// `runs`, `dead` and `events`: what was, and what a person wants of it.
struct History {
    private let noun: String
    private let verb: String
    private let flags: Flags
    private let data: String

    private static let usualLimit = 50
    /// How long the listener may take to do what it is asked for.
    private static let patience: Duration = .seconds(10)

    init(_ noun: String, _ words: [String], _ environment: [String: String]) throws {
        self.noun = noun
        flags = try Flags(words, values: ["--data", "--config", "--state", "--route", "--limit"], switches: ["--json"])
        verb = try flags.argument("list, show, …")
        if let data = flags.values["--data"] {
            self.data = data
        } else if let file = flags.values["--config"] {
            data = try HookConfig.load(file, environment: environment).data
        } else if let data = environment["CULVERT_HOOK_DATA"] {
            self.data = data
        } else {
            throw Complaint("which inbox?", advice: "Give --data DIR, --config FILE or CULVERT_HOOK_DATA.", exitCode: .usage)
        }
    }

    func run() async throws -> ExitCode {
        let inbox = try Inbox.visit(at: data)
        let code = try await perform(inbox)
        await inbox.close()
        return code
    }

    private func perform(_ inbox: Inbox) async throws -> ExitCode {
        switch (noun, verb) {
        case ("runs", "list"): try await listRuns(inbox, state: flags.values["--state"])
        case ("dead", "list"): try await listRuns(inbox, state: "dead")
        case ("runs", "show"): return try await showRun(inbox)
        case ("events", "list"): try await listEvents(inbox)
        case ("events", "show"): return try await showEvent(inbox)
        case ("runs", "rerun"): return try await wish(.rerun, inbox)
        case ("runs", "cancel"): return try await wish(.cancel, inbox)
        case ("dead", "retry"): return try await wish(.retry, inbox)
        case ("dead", "drop"): return try await wish(.drop, inbox)
        case ("events", "replay"): return try await wish(.replay, inbox)
        default: throw Complaint("“\(noun) \(verb)” is no command", advice: "See culvert-hook --help.", exitCode: .usage)
        }
        return .success
    }

    private var limit: Int {
        get throws {
            guard let text = flags.values["--limit"] else { return Self.usualLimit }
            guard let count = Int(text), (1...100_000).contains(count) else {
                throw Complaint("--limit is a number from 1 to 100000", exitCode: .usage)
            }
            return count
        }
    }

    private func ids() throws -> [Int64] {
        let words = flags.arguments.dropFirst()
        guard !words.isEmpty else { throw Complaint("an ID is missing", exitCode: .usage) }
        return try words.map { word in
            guard let id = Int64(word) else { throw Complaint("“\(word)” is no ID: IDs are numbers", exitCode: .usage) }
            return id
        }
    }

    // MARK: - Showing

    private static let states = ["waiting", "running", "succeeded", "dead", "cancelled", "dropped"]

    private func listRuns(_ inbox: Inbox, state: String?) async throws {
        try flags.noArgument(after: 1)
        if let state, !Self.states.contains(state) {
            throw Complaint(
                "“\(state)” is no state of a run", advice: "There are \(Self.states.joined(separator: ", ")).", exitCode: .usage
            )
        }
        let runs = try await inbox.runs(state: state, route: flags.values["--route"], countMax: try limit)
        if flags.switches.contains("--json") {
            for run in runs { Output.print(HistoryText.line(HistoryText.json(run))) }
        } else if runs.isEmpty {
            Output.print(noun == "dead" ? "The dead letter is empty." : "There are no runs.")
        } else {
            Output.print(
                HistoryText.table(
                    ["RUN", "EVENT", "ROUTE", "STATE", "ATTEMPTS", "SINCE", "DETAIL"], runs.map(HistoryText.row)))
        }
    }

    private func showRun(_ inbox: Inbox) async throws -> ExitCode {
        try flags.noArgument(after: 2)
        guard let run = try await inbox.run(try ids()[0]) else { return missing("run") }
        let attempts = try await inbox.attempts(of: run.id)
        if flags.switches.contains("--json") {
            guard case .object(let members) = HistoryText.json(run) else { return .failure }
            Output.print(
                HistoryText.line(.object(members + [JSONMember("attempts_made", .array(attempts.map(HistoryText.json)))])))
        } else {
            Output.print(
                HistoryText.table(["RUN", "EVENT", "ROUTE", "STATE", "ATTEMPTS", "SINCE", "DETAIL"], [HistoryText.row(run)]))
            for attempt in attempts {
                Output.print(
                    HistoryText.line(attempt)
                )
            }
            if !run.output.isEmpty {
                Output.print(HistoryText.printable(String(decoding: run.output, as: UTF8.self), lines: true))
            }
        }
        return .success
    }

    private func listEvents(_ inbox: Inbox) async throws {
        try flags.noArgument(after: 1)
        let events = try await inbox.events(route: flags.values["--route"], countMax: try limit)
        if flags.switches.contains("--json") {
            for event in events { Output.print(HistoryText.line(HistoryText.json(event, withBody: false))) }
        } else if events.isEmpty {
            Output.print("There are no events.")
        } else {
            Output.print(
                HistoryText.table(
                    ["EVENT", "ROUTE", "RECEIVED", "DELIVERY", "BYTES", "WANTED", "FROM"], events.map(HistoryText.row)))
        }
    }

    private func showEvent(_ inbox: Inbox) async throws -> ExitCode {
        try flags.noArgument(after: 2)
        guard let event = try await inbox.event(try ids()[0]) else { return missing("event") }
        let runs = try await inbox.runs(ofEvent: event.id)
        if flags.switches.contains("--json") {
            guard case .object(let members) = HistoryText.json(event, withBody: true) else { return .failure }
            Output.print(HistoryText.line(.object(members + [JSONMember("runs", .array(runs.map(HistoryText.json)))])))
        } else {
            Output.print(
                HistoryText.table(
                    ["EVENT", "ROUTE", "RECEIVED", "DELIVERY", "BYTES", "WANTED", "FROM"], [HistoryText.row(event)]))
            Output.print("\(event.method) \(HistoryText.printable(event.target))  verdict \(event.verdict)")
            if let note = event.filterNote {
                Output.print(HistoryText.printable("not run: \(note); “culvert-hook events replay \(event.id)” runs it"))
            }
            for field in StoredFields.read(event.fields) {
                Output.print("\(field.name): \(HistoryText.printable(field.value))")
            }
            Output.print("\n" + HistoryText.printable(String(decoding: event.body, as: UTF8.self), lines: true))
            if !runs.isEmpty {
                Output.print(
                    HistoryText.table(
                        ["RUN", "EVENT", "ROUTE", "STATE", "ATTEMPTS", "SINCE", "DETAIL"], runs.map(HistoryText.row)))
            }
        }
        return .success
    }

    private func missing(_ noun: String) -> ExitCode {
        Output.note("culvert-hook: there is no such \(noun); it may have been forgotten by now")
        return .notFound
    }

    // MARK: - Wishes

    /// Asks the listener; does it itself when none owns the inbox.
    private func wish(_ act: InboxWish.Act, _ visitor: Inbox) async throws -> ExitCode {
        var code = ExitCode.success
        for id in try ids() {
            let answer = try await answer(to: InboxWish(act, id), visitor)
            let words = answer.split(separator: " ", maxSplits: 1)
            switch words.first {
            case "done":
                let run = words.count > 1 ? String(words[1]) : ""
                if flags.switches.contains("--json") {
                    Output.print(HistoryText.line(.members(["done": .string(act.rawValue), "run": .number(run)])))
                } else {
                    Output.print("\(act.rawValue) \(id): run \(run)")
                }
            case "not_found": code = missing(act == .replay ? "event" : "run")
            default:
                Output.note("culvert-hook: \(act.rawValue) \(id): \(words.count > 1 ? String(words[1]) : answer)")
                code = .conflict
            }
        }
        return code
    }

    private func answer(to wish: InboxWish, _ visitor: Inbox) async throws -> String {
        do {
            let owner = try Inbox.own(at: data)
            let outcome = try await owner.fulfil(wish, at: SystemWallClock().now)
            await owner.close()
            return WishAnswer.text(of: outcome)
        } catch DataDirectoryError.inUse {
            let number = try await visitor.leave(wish)
            let end = ContinuousClock.now + Self.patience
            while ContinuousClock.now < end {
                if let answer = try await visitor.answer(toWish: number) { return answer }
                try await Task.sleep(for: .milliseconds(50))
            }
            throw Complaint("the listener did not answer", advice: "Is it very busy? It will still do it when it comes to it.")
        }
    }
}
