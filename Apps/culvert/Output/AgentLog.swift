internal import TunnelAgent
internal import TunnelDomain
internal import TunnelProfile

/// How much an agent tells, and to whom.
struct AgentOutput: Sendable {
    enum Level: Sendable, Hashable {
        /// Only what is wrong.
        case quiet
        case usual
        /// Attempts to connect and request ids as well.
        case verbose
    }

    let console: Console
    let level: Level

    init(_ words: ParsedWords, _ console: Console) throws(Complaint) {
        guard !(words.has("--quiet") && words.has("--verbose")) else {
            throw Complaint("--quiet and --verbose exclude each other", advice: "Leave one of them out.", exitCode: .usage)
        }
        self.init(console: console, level: words.has("--quiet") ? .quiet : words.has("--verbose") ? .verbose : .usual)
    }

    init(console: Console, level: Level = .usual) {
        self.console = console
        self.level = level
    }

    /// A line on standard error that is no problem.
    func remark(_ line: String) { if level != .quiet { console.note(line) } }

    func tellReload(_ changes: RouteChanges<RouteSettings>) {
        if console.isJSON {
            var document = AgentEventDocument(event: "reloaded")
            (document.added, document.changed, document.removed) = (changes.added, changes.changed, changes.removed)
            return console.printJSON(document)
        }
        remark("The file was read again: \(Printable.text(changes.description, characterCountMax: 2_000)).")
    }

    func tellReload(failed complaint: Complaint) {
        if console.isJSON {
            var document = AgentEventDocument(event: "reload-failed")
            document.reason = complaint.message
            return console.printJSON(document)
        }
        console.complain(complaint)
        console.note("The routes stay as they were.")
    }
}

/// What one agent does, as lines: for people on standard error, for programs as JSON on standard output.
struct AgentLog {
    let output: AgentOutput
    var route: RouteSettings
    let tunnelName: String
    /// Lines begin with the tunnel's name: there are several.
    let isLabelled: Bool
    /// The URL has been told: it is told once, so that a script can read it as the first and only line.
    private var hasToldURL = false
    private var isConnected = false
    /// What was wrong with the last request that something was wrong with: told once, not for each that follows.
    private var toldProblem: String?

    private var console: Console { output.console }

    init(output: AgentOutput, route: RouteSettings, tunnelName: String, isLabelled: Bool = false) {
        self.output = output
        self.route = route
        self.tunnelName = tunnelName
        self.isLabelled = isLabelled
    }

    /// Tells the events in order; lines of requests that follow one another go out together.
    mutating func tell(_ batch: [AgentEvent]) {
        var lines: [String] = []
        for event in batch {
            if case .request(let report) = event, !console.isJSON {
                if let line = line(report) { lines.append(labelled(line)) }
            } else {
                note(&lines)
                tell(event)
            }
        }
        note(&lines)
    }

    private func note(_ lines: inout [String]) {
        guard !lines.isEmpty else { return }
        console.note(lines.joined(separator: "\n"))
        lines.removeAll()
    }

    private func labelled(_ line: String) -> String { isLabelled ? "\(Printable.text(tunnelName)): \(line)" : line }

    mutating func tell(_ event: AgentEvent) {
        let wasConnected = isConnected
        switch event {
        case .connected: isConnected = true
        case .reconnecting, .handingOver, .stopped: isConnected = false
        case .connecting, .sharing, .request, .connection, .certificateRenewed, .certificateNotRenewed: break
        }
        if console.isJSON {
            for document in AgentEventDocument.all(event, of: tunnelName, target: route.destination, wasConnected: wasConnected)
            {
                console.printJSON(document)
            }
        } else {
            write(event)
        }
    }

    private mutating func write(_ event: AgentEvent) {
        switch event {
        case .connecting(let edge): if output.level == .verbose { console.note(labelled("Connecting to \(edge).")) }
        case .connected(let url):
            guard !hasToldURL else { return output.remark(labelled("Connected again.")) }
            hasToldURL = true
            console.print(isLabelled ? "\(Printable.text(tunnelName)) \(url)" : url)
            let what = route.ending == .target ? "TLS connections go, as they are, to" : "Requests go to"
            output.remark(labelled("\(what) \(Printable.text(route.destination))." + (isLabelled ? "" : " Ctrl-C stops.")))
        case .sharing(let count): tellSharing(count)
        case .reconnecting(let pause, let reason):
            console.note(labelled("Not connected: \(Printable.text(reason)). Trying again in \(Self.text(pause))."))
        case .handingOver(let reason):
            output.remark(labelled("The server moves this agent (\(Printable.text(reason))); reconnecting."))
        case .request(let report): if let line = line(report) { console.note(labelled(line)) }
        case .connection(let report): if let line = line(report) { console.note(labelled(line)) }
        case .certificateRenewed(let expiry):
            output.remark(labelled("The certificate was renewed; it is valid until \(expiry)."))
        case .certificateNotRenewed(let reason, let next, let expiry):
            console.note(
                labelled(
                    "The certificate was not renewed: \(Printable.text(reason, characterCountMax: 400)). It is valid until "
                        + "\(expiry); trying again at \(next)."))
        case .stopped(let stop): if case .requested = stop { output.remark(labelled("Stopped.")) }
        }
    }

    private func tellSharing(_ count: Int?) {
        switch count {
        case nil:
            console.note(labelled("This server does not let agents share a tunnel; whoever connects next takes it over."))
        case 1: output.remark(labelled("No other agent shares the tunnel yet."))
        case let count?: output.remark(labelled("\(count) agents share the tunnel."))
        }
    }

    /// `POST /hook 200 12 ms 1.2 kB`, and what went wrong; nil where nobody wants to know.
    mutating func line(_ report: RequestReport) -> String? {
        let isNew = report.problem != nil && report.problem != toldProblem
        toldProblem = report.problem
        if output.level == .quiet, !isNew { return nil }
        let status =
            report.status.map { console.colored("\($0)", Self.color(ofStatus: $0)) } ?? console.colored("gone", .yellow)
        let problem = isNew ? report.problem.map { "  \(Printable.text($0, characterCountMax: 400))" } ?? "" : ""
        let path = Printable.text(report.path)
        let id = output.level == .verbose ? " \(Printable.text(report.id))" : ""
        return "\(Printable.text(report.method)) \(path) \(status) \(Self.text(report.duration)) "
            + "\(Self.text(byteCount: report.responseByteCount))\(id)\(problem)"
    }

    /// `TLS my-agent.example from 192.0.2.7 1.2 s 3.4 kB in 5.6 kB out`, and what went wrong; nil where nobody wants to know.
    private func line(_ report: ConnectionReport) -> String? {
        if output.level == .quiet, report.problem == nil { return nil }
        let problem = report.problem.map { "  \(Printable.text($0, characterCountMax: 400))" } ?? ""
        return "TLS \(Printable.text(report.serverName)) from \(Printable.text(report.clientAddress)) "
            + "\(Self.text(report.duration)) \(Self.text(byteCount: report.receivedByteCount)) in "
            + "\(Self.text(byteCount: report.sentByteCount)) out\(problem)"
    }

    private static func color(ofStatus status: Int) -> Console.Color {
        switch status {
        case ..<400: .green
        case ..<500: .yellow
        default: .red
        }
    }

    static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        return milliseconds < 1_000 ? "\(milliseconds) ms" : "\(milliseconds / 1_000).\(milliseconds % 1_000 / 100) s"
    }

    static func text(byteCount: Int) -> String {
        switch byteCount {
        case ..<1_000: "\(byteCount) B"
        case ..<1_000_000: "\(byteCount / 1_000).\(byteCount % 1_000 / 100) kB"
        default: "\(byteCount / 1_000_000).\(byteCount % 1_000_000 / 100_000) MB"
        }
    }

    /// What to tell when the agent ended other than by request.
    func complaint(for stop: AgentStop) -> Complaint? {
        let name = Printable.text(tunnelName)
        switch stop {
        case .requested: return nil
        case .superseded:
            return Complaint(
                "another agent took over the tunnel \(name)",
                advice:
                    "One agent serves a tunnel at a time, unless each is started with --shared. Start this one again to take "
                    + "the tunnel back, or give it another --name.",
                exitCode: .conflict)
        case .refused(let status, let reason):
            return Complaint(
                "the server refused this agent: \(Printable.text(reason))",
                advice: "If the secret was rotated elsewhere, make a new one here: culvert tunnels rotate-secret \(name)\n"
                    + "If the tunnel was deleted: culvert tunnels restore \(name)", exitCode: .authentication, status: status)
        case .misconfigured(let reason): return Complaint(Printable.text(reason, characterCountMax: 600), exitCode: .usage)
        }
    }
}

/// One event as a line of JSON.
struct AgentEventDocument: Encodable {
    var event: String
    var tunnel: String?
    var publicURL: String?
    var agents: Int?
    var target: String?
    var edge: String?
    var retryAfterMilliseconds: Int64?
    var status: Int?
    var reason: String?
    var request: Request?
    var added: [String]?
    var changed: [String]?
    var removed: [String]?
    var connection: Connection?
    var expiresAt: String?
    var nextAttemptAt: String?

    struct Connection: Encodable {
        var id: String
        var serverName: String
        var clientAddress: String
        var durationMilliseconds: Int64
        var receivedBytes: Int
        var sentBytes: Int

        private enum CodingKeys: String, CodingKey {
            case id
            case serverName = "server_name"
            case clientAddress = "client_address"
            case durationMilliseconds = "duration_ms"
            case receivedBytes = "received_bytes"
            case sentBytes = "sent_bytes"
        }
    }

    struct Request: Encodable {
        var id: String
        var method: String
        var path: String
        var status: Int?
        var durationMilliseconds: Int64
        var requestBytes: Int
        var responseBytes: Int

        private enum CodingKeys: String, CodingKey {
            case id, method, path, status
            case durationMilliseconds = "duration_ms"
            case requestBytes = "request_bytes"
            case responseBytes = "response_bytes"
        }
    }

    private enum CodingKeys: String, CodingKey {
        case event, tunnel, agents, target, edge, status, reason, request, added, changed, removed, connection
        case expiresAt = "expires_at"
        case nextAttemptAt = "next_attempt_at"
        case publicURL = "public_url"
        case retryAfterMilliseconds = "retry_after_ms"
    }

    init(event: String, tunnel: String? = nil, reason: String? = nil) {
        self.event = event
        self.tunnel = tunnel
        self.reason = reason
    }

    /// The lines of one event: losing a connection that stood is one of its own.
    static func all(
        _ event: AgentEvent, of tunnel: String, target: String, wasConnected: Bool
    ) -> [AgentEventDocument] {
        var document = AgentEventDocument(event: "", tunnel: tunnel)
        switch event {
        case .connecting(let edge):
            document.event = "connecting"
            document.edge = edge.description
        case .connected(let url):
            document.event = "connected"
            document.publicURL = url
            document.target = target
        case .sharing(let count):
            document.event = count == nil ? "sharing-refused" : "sharing"
            document.agents = count
        case .reconnecting(let pause, let reason):
            document.event = "reconnecting-in"
            document.retryAfterMilliseconds = milliseconds(pause)
            document.reason = reason
            if wasConnected {
                return [AgentEventDocument(event: "disconnected", tunnel: tunnel, reason: reason), document]
            }
        case .handingOver(let reason):
            document.event = "handing-over"
            document.reason = reason
        case .request(let report):
            document.event = "request"
            document.reason = report.problem
            document.request = Request(
                id: report.id, method: report.method, path: report.path, status: report.status,
                durationMilliseconds: milliseconds(report.duration), requestBytes: report.requestByteCount,
                responseBytes: report.responseByteCount)
        case .connection(let report):
            document.event = "connection"
            document.reason = report.problem
            document.connection = Connection(
                id: report.id, serverName: report.serverName, clientAddress: report.clientAddress,
                durationMilliseconds: milliseconds(report.duration), receivedBytes: report.receivedByteCount,
                sentBytes: report.sentByteCount)
        case .certificateRenewed(let expiry):
            document.event = "certificate-renewed"
            document.expiresAt = expiry.iso8601
        case .certificateNotRenewed(let reason, let next, let expiry):
            document.event = "certificate-not-renewed"
            document.reason = reason
            document.nextAttemptAt = next.iso8601
            document.expiresAt = expiry.iso8601
        case .stopped(let stop):
            document.reason = stop.description
            switch stop {
            case .requested: document.event = "stopped"
            case .superseded: document.event = "superseded"
            case .refused(let status, _):
                document.event = "refused"
                document.status = status
            case .misconfigured: document.event = "misconfigured"
            }
        }
        return [document]
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
}
