internal import FoundationEssentials
internal import TunnelClient

/// What every command that asks the server works with.
struct CommandSession: Sendable {
    let words: ParsedWords
    let settings: Settings
    let console: Console
    let client: CulvertClient

    init(words: ParsedWords, environment: [String: String], console: Console) throws(Complaint) {
        self.words = words
        self.console = console
        settings = try Settings(words, environment: environment)
        client = try settings.client
    }

    /// The one argument of a command that has one.
    var argument: String { words.arguments[0] }

    /// Makes a call; its failure is told as that of the act.
    ///
    /// - Parameters:
    ///   - act: what is being done, as in `create the tunnel my-agent`.
    ///   - listing: the command that shows what there is.
    func attempt<Value: Sendable>(
        _ act: String, listing: String = "culvert tunnels list",
        _ call: (CulvertClient) async throws(ClientError) -> Value
    ) async throws(Complaint) -> Value {
        do { return try await call(client) } catch {
            throw Complaint(error, act: act, server: settings.server, listing: listing)
        }
    }

    /// Prints a value as JSON, or as the text that people read.
    func show(_ value: some Encodable, _ text: () -> String) {
        if console.isJSON { console.printJSON(value) } else { console.print(text()) }
    }
}
