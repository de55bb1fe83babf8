/// `culvert tls`: brings a local server up under a public name whose TLS ends on this machine, and nowhere before it.
struct TLSCommand {
    private let route: RouteSettings
    private let service: RouteService

    init(words: ParsedWords, environment: [String: String], console: Console) throws(Complaint) {
        route = try RouteSettings(tls: words)
        service = RouteService(
            settings: try Settings(words, environment: environment), output: try AgentOutput(words, console),
            urlFile: words.value("--url-file").map { URLFile(path: $0, isLabelled: false) }, reload: nil)
    }

    func run() async throws(Complaint) -> ExitCode { try await service.run([route]) }
}
