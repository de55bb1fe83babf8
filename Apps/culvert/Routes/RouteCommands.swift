internal import TunnelProfile

/// `culvert http`: brings a local server up under a public name and stays until it is told to stop.
struct HTTPCommand {
    private let route: RouteSettings
    private let service: RouteService

    /// Checks the command line before it asks who the server is: the nearest mistake is told first.
    init(words: ParsedWords, environment: [String: String], console: Console) throws(Complaint) {
        route = try RouteSettings(words)
        service = RouteService(
            settings: try Settings(words, environment: environment), output: try AgentOutput(words, console),
            urlFile: words.value("--url-file").map { URLFile(path: $0, isLabelled: false) }, reload: nil)
    }

    func run() async throws(Complaint) -> ExitCode { try await service.run([route]) }
}

/// `culvert run`: brings every route of a file up; SIGHUP reads the file anew.
struct RunCommand {
    private let routes: [RouteSettings]
    private let service: RouteService

    init(words: ParsedWords, environment: [String: String], console: Console) throws(Complaint) {
        let path = words.arguments[0]
        let file = try RouteFile.load(path)
        var words = words
        for (option, value) in file.connection.options { words.fillIn(option, value) }
        routes = file.routes
        service = RouteService(
            settings: try Settings(words, environment: environment), output: try AgentOutput(words, console),
            urlFile: words.value("--url-file").map { URLFile(path: $0, isLabelled: true) }
        ) { [connection = file.connection] () throws(Complaint) -> [RouteSettings] in
            let now = try RouteFile.load(path)
            guard now.connection == connection else {
                throw Complaint(
                    "the server, its key, its authority or its edge has changed, which cannot be taken up while routes are up",
                    advice: "Start the program again.", exitCode: .usage)
            }
            return now.routes
        }
    }

    func run() async throws(Complaint) -> ExitCode { try await service.run(routes) }
}

extension RouteFile.Connection {
    /// As the options of the command line that say the same.
    var options: [(String, String)] {
        [("--server", server), ("--api-key-file", apiKeyFile), ("--ca-file", caFile), ("--edge", edge)]
            .compactMap { name, value in value.map { (name, $0) } }
    }
}

/// `culvert check`: says whether a file of routes can be used, and every mistake in it.
struct CheckCommand {
    let words: ParsedWords
    let console: Console

    func run() throws(Complaint) {
        let file = try RouteFile.load(words.arguments[0])
        let count = file.routes.count
        if console.isJSON { return console.printJSON(["routes": count]) }
        console.print("\(Printable.text(words.arguments[0])): \(count == 1 ? "1 route" : "\(count) routes"), no mistakes")
    }
}
