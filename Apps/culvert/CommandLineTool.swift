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
        case "login":
            try await Login(words: parsed, environment: environment, console: console).run()
            return .success
        case "http":
            return try await HTTPCommand(words: parsed, environment: environment, console: console).run()
        default:
            guard let action = parsed.command.path.last.flatMap(TunnelCommands.Action.init) else {
                throw Complaint(UsageError(message: "a command is missing", command: parsed.command.path))
            }
            let settings = try Settings(parsed, environment: environment)
            try await TunnelCommands(words: parsed, settings: settings, console: console).run(action)
            return .success
        }
    }
}
