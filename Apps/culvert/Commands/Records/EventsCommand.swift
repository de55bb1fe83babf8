internal import FoundationEssentials
internal import LinuxIO
internal import TunnelClient
internal import TunnelProfile

/// `culvert events`: what happens at the service, one line for each event.
struct EventsCommand: Sendable {
    let session: CommandSession

    /// Before the first event that the server keeps.
    private static let beginning = "0"

    func run() async throws(Complaint) {
        let words = session.words
        let types = try words.value("--types").map { text throws(Complaint) in try Self.types(text) } ?? []
        let isFollowing = words.has("--follow")
        let start = words.value("--since-id") ?? (isFollowing ? nil : Self.beginning)
        let (console, server) = (session.console, session.settings.server)
        let feed = session.client.events(types: types, after: start, isFollowing: isFollowing) { notice in
            if isFollowing || notice != .caughtUp, let line = EventText.line(notice, server) { console.note(line) }
        }
        let printing = Task { await print(feed) }
        let signals = try Interruption.watch { printing.cancel() }
        defer { signals.stop() }
        if let complaint = await printing.value { throw complaint }
    }

    /// Prints until the feed ends, nobody reads any more, or the task is cancelled, which is a good end.
    private func print(_ feed: EventFeed) async -> Complaint? {
        do {
            for try await event in feed {
                if event.type == .logTruncated, tell(ofGap: event) { continue }
                let isJSON = session.console.isJSON
                let line = isJSON ? Console.json(EventText.document(event)) : EventText.line(event)
                guard session.console.emit(line) else { return nil }
            }
            return nil
        } catch ClientError.cancelled {
            return nil
        } catch {
            return Complaint(error, act: "follow the events", server: session.settings.server, listing: "culvert events")
        }
    }

    /// Whether the gap needs no line of its own: people are told of it beside the events, programs among them.
    private func tell(ofGap event: ServiceEvent) -> Bool {
        guard !session.console.isJSON else { return false }
        // Who asked for all that is kept knows that there was more.
        if event.text("last_event_id") != Self.beginning { session.console.note(EventText.gap(event)) }
        return true
    }

    static func types(_ text: String) throws(Complaint) -> [EventType] {
        try WordList.read(text, of: "--types", "event type", known: EventType.known.map(\.rawValue))
            .map(EventType.init(rawValue:))
    }
}

/// Events as they are printed.
enum EventText {
    static func line(_ event: ServiceEvent) -> String {
        let time = event.occurredAt.map(TunnelText.time) ?? "-"
        let subject = ["tunnel_name", "agent_handle", "label", "name"].lazy.compactMap { event.text($0) }.first ?? "-"
        let id = event.streamID.map { "  id \(Printable.text($0))" } ?? ""
        return "\(time)  \(Printable.text(event.type.rawValue))  \(Printable.text(subject))\(id)"
    }

    static func gap(_ event: ServiceEvent) -> String {
        let id = Printable.text(event.text("last_event_id") ?? "")
        let next = event.streamID.map { " It goes on behind \(Printable.text($0))." } ?? ""
        return event.text("reason") == "forgotten"
            ? "Some events behind \(id) are not kept any more.\(next)"
            : "The server has no event \(id); is it another server's, or from before a backup was restored?\(next)"
    }

    /// As the server wrote it, and the place to resume behind.
    static func document(_ event: ServiceEvent) -> JSONValue {
        var members = event.document
        members["stream_id"] = event.streamID.map { .string($0) }
        return .object(members)
    }

    /// What people are told of the connection; nil is nothing.
    static func line(_ notice: EventFeed.Notice, _ server: ServerURL) -> String? {
        switch notice {
        case .connected: return nil
        case .caughtUp: return "Waiting for events. Ctrl-C stops."
        case .interrupted(let failure, let pause):
            let reason =
                failure.map { Complaint($0, act: "go on", server: server).message } ?? "the server ended the connection"
            return "Interrupted: \(reason). Trying again in \(AgentLog.text(pause))."
        }
    }
}
