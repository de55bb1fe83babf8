/// Runs one command line from its words to its exit code.
struct CommandLineTool {
    let words: [String]
    let environment: [String: String]

    func run() async -> ExitCode {
        let console = Console(isJSON: words.contains("--json"), environment: environment)
        do throws(Complaint) {
            return try await dispatch(console)
        } catch {
            console.complain(error)
            return error.exitCode
        }
    }

    private func dispatch(_ console: Console) async throws(Complaint) -> ExitCode {
        guard !words.isEmpty else {
            console.note(HelpText.of(CommandSpec.root))
            return .usage
        }
        let parsed: ParsedWords
        do { parsed = try ParsedWords(words, environment: environment) } catch { throw Complaint(error) }
        if parsed.has("--help") {
            console.print(HelpText.of(parsed.command))
            return .success
        }
        if parsed.has("--version") {
            console.print("culvert \(Version.text)")
            return .success
        }
        return try await perform(parsed, console)
    }

    private func perform(_ parsed: ParsedWords, _ console: Console) async throws(Complaint) -> ExitCode {
        switch parsed.command.path.first {
        case "http": return try await HTTPCommand(words: parsed, environment: environment, console: console).run()
        case "run": return try await RunCommand(words: parsed, environment: environment, console: console).run()
        case "check": try CheckCommand(words: parsed, console: console).run()
        case "tls": return try await TLSCommand(words: parsed, environment: environment, console: console).run()
        case "login": try await Login(words: parsed, environment: environment, console: console).run()
        case "rpc": try RPCInstall(words: parsed, console: console).run()
        case "completions": try Completions(shell: parsed.arguments[0]).print(to: console)
        default:
            guard let action = ServerAction(path: parsed.command.path) else {
                preconditionFailure("the table has a command that nothing carries out: \(parsed.command.name)")
            }
            try await action.run(CommandSession(words: parsed, environment: environment, console: console))
        }
        return .success
    }
}

/// A command that asks the server and ends.
enum ServerAction {
    case tunnels(TunnelCommands.Action)
    case identities(IdentityCommands.Action)
    case keys(KeyCommands.Action)
    case apps(AppCommands.Action)
    case webhooks(WebhookCommands.Action)
    case auditList, events, whoAmI, signCSR

    init?(path: [String]) {
        let word = path.dropFirst().first ?? ""
        let action: ServerAction? =
            switch path.first {
            case "tunnels": TunnelCommands.Action(rawValue: word).map { .tunnels($0) }
            case "identities": IdentityCommands.Action(rawValue: word).map { .identities($0) }
            case "keys": KeyCommands.Action(rawValue: word).map { .keys($0) }
            case "apps": AppCommands.Action(rawValue: word).map { .apps($0) }
            case "webhooks": WebhookCommands.Action(rawValue: word).map { .webhooks($0) }
            case "audit": word == "list" ? .auditList : nil
            case "events": .events
            case "whoami": .whoAmI
            case "sign-csr": .signCSR
            default: nil
            }
        guard let action else { return nil }
        self = action
    }

    func run(_ session: CommandSession) async throws(Complaint) {
        switch self {
        case .tunnels(let action): try await TunnelCommands(session).run(action)
        case .identities(let action): try await IdentityCommands(session: session).run(action)
        case .keys(let action): try await KeyCommands(session: session).run(action)
        case .apps(let action): try await AppCommands(session: session).run(action)
        case .webhooks(let action): try await WebhookCommands(session: session).run(action)
        case .auditList: try await AuditCommands(session: session).list()
        case .events: try await EventsCommand(session: session).run()
        case .whoAmI: try await WhoAmICommand(session: session).run()
        case .signCSR: try await SignCSRCommand(session: session).run()
        }
    }
}
