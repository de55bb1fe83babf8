internal import FoundationEssentials
internal import TunnelClient
internal import TunnelProfile

/// `culvert audit list`: the audit trail, newest first.
struct AuditCommands {
    let session: CommandSession

    /// Lines that are shown unless another number, or all, are asked for.
    static let lineCountDefault = 100

    func list() async throws(Complaint) {
        let words = session.words
        let filter = try Self.filter(words, at: Date())
        let limit = try Self.limit(words)
        let size = min(limit ?? Int.max, PagedList<AuditEventRecord>.pageSizeMax)
        let events = try await session.attempt("read the audit trail", listing: "culvert audit list") {
            client throws(ClientError) in
            try await client.auditEvents(matching: filter, pageSize: size).collect(limit: limit)
        }
        struct List: Encodable {
            var events: [AuditEventRecord]

            private enum CodingKeys: String, CodingKey { case events = "audit_events" }
        }
        session.show(List(events: events)) { AuditText.table(events) }
    }

    /// Nil is all of them.
    static func limit(_ words: ParsedWords) throws(Complaint) -> Int? {
        guard let text = words.value("--limit") else { return words.has("--all") ? nil : lineCountDefault }
        guard !words.has("--all") else { throw Complaint("--limit and --all contradict each other", exitCode: .usage) }
        guard let limit = Int(text), (1...1_000_000).contains(limit) else {
            throw Complaint(
                "\"\(Printable.text(text))\" is not a limit; it is a number from 1 to 1000000", exitCode: .usage)
        }
        return limit
    }

    static func filter(_ words: ParsedWords, at now: Date) throws(Complaint) -> AuditFilter {
        AuditFilter(
            actor: words.value("--actor"), action: words.value("--action"), resource: words.value("--resource"),
            since: try moment("--since", words, now), until: try moment("--until", words, now))
    }

    private static func moment(_ option: String, _ words: ParsedWords, _ now: Date) throws(Complaint) -> Date? {
        try words.value(option).map { text throws(Complaint) in try TimeArgument.moment(text, of: option, .ago, at: now) }
    }
}

/// The audit trail as people read it.
enum AuditText {
    static func table(_ events: [AuditEventRecord]) -> String {
        guard !events.isEmpty else { return "Nothing in the audit trail matches." }
        return TextTable.rows(
            ["TIME", "ACTION", "OUTCOME", "ACTOR", "RESOURCE", "FROM"],
            events.map { event in
                [
                    TunnelText.time(event.occurredAt), event.action, event.outcome, event.actor.label ?? event.actor.id ?? "-",
                    event.resource.type + (event.resource.id.map { " \($0)" } ?? ""), event.ip ?? "-",
                ]
            })
    }
}
