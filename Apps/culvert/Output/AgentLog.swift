internal import TunnelAgent

/// What the agent does, as lines: for people on standard error, for programs as JSON on standard output.
struct AgentLog {
    let console: Console
    let target: AgentTarget
    let tunnelName: String
    /// The URL has been told: it is told once, so that a script can read it as the first and only line.
    private var hasToldURL = false

    init(console: Console, target: AgentTarget, tunnelName: String) {
        self.console = console
        self.target = target
        self.tunnelName = tunnelName
    }

    mutating func tell(_ event: AgentEvent) {
        if console.isJSON { return console.printJSON(AgentEventDocument(event, target: target)) }
        switch event {
        case .connecting: break
        case .connected(let url):
            guard !hasToldURL else { return console.note("Connected again.") }
            hasToldURL = true
            console.print(url)
            console.note("Requests go to \(target). Ctrl-C stops.")
        case .reconnecting(let pause, let reason):
            console.note("Not connected: \(Printable.text(reason)). Trying again in \(Self.text(pause)).")
        case .handingOver(let reason): console.note("The server moves this agent (\(Printable.text(reason))); reconnecting.")
        case .request(let report): console.note(line(report))
        case .stopped(let stop):
            if case .requested = stop { console.note("Stopped.") }
        }
    }

    /// `POST /hook 200 12 ms 1.2 kB`, and what went wrong.
    func line(_ report: RequestReport) -> String {
        let status =
            report.status.map { console.colored("\($0)", Self.color(ofStatus: $0)) } ?? console.colored("gone", .yellow)
        let problem = report.problem.map { "  \(Printable.text($0, characterCountMax: 400))" } ?? ""
        let path = Printable.text(report.path)
        return "\(Printable.text(report.method)) \(path) \(status) \(Self.text(report.duration)) "
            + "\(Self.text(byteCount: report.responseByteCount))\(problem)"
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
                advice: "One agent serves a tunnel at a time. Start this one again to take it back, or give it another --name.",
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
    var publicURL: String?
    var target: String?
    var edge: String?
    var retryAfterMilliseconds: Int64?
    var reason: String?
    var request: Request?

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
        case event, target, edge, reason, request
        case publicURL = "public_url"
        case retryAfterMilliseconds = "retry_after_ms"
    }

    init(_ event: AgentEvent, target: AgentTarget) {
        switch event {
        case .connecting(let edge):
            self.event = "connecting"
            self.edge = edge.description
        case .connected(let url):
            self.event = "connected"
            publicURL = url
            self.target = target.description
        case .reconnecting(let pause, let reason):
            self.event = "reconnecting"
            retryAfterMilliseconds = Self.milliseconds(pause)
            self.reason = reason
        case .handingOver(let reason):
            self.event = "handing-over"
            self.reason = reason
        case .request(let report):
            self.event = "request"
            reason = report.problem
            request = Request(
                id: report.id, method: report.method, path: report.path, status: report.status,
                durationMilliseconds: Self.milliseconds(report.duration), requestBytes: report.requestByteCount,
                responseBytes: report.responseByteCount)
        case .stopped(let stop):
            self.event = "stopped"
            reason = stop.description
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
}
