internal import TunnelAgent
internal import TunnelClient

/// What a command works with, decided by option, environment and stored configuration, in this order of falling precedence.
struct Settings: Sendable {
    var server: ServerURL
    var apiKey: APIKeySource
    /// Nil trusts the system's authorities.
    var caFile: String?
    var edge: EdgeAddress?
    var locations: Locations

    init(_ words: ParsedWords, environment: [String: String]) throws(Complaint) {
        locations = try Locations(environment: environment)
        let stored = try StoredConfiguration.load(from: locations.configurationFile)
        server = try Self.server(words.value("--server") ?? stored.server)
        apiKey = try Self.apiKey(file: words.value("--api-key-file"), stored: stored, server: server)
        caFile = words.value("--ca-file") ?? stored.caFile
        edge = try (words.value("--edge") ?? stored.edge).map { text throws(Complaint) in try Self.edge(text) }
    }

    static func server(_ text: String?) throws(Complaint) -> ServerURL {
        guard let text else {
            throw Complaint(
                "no server is known", advice: "Log in once: culvert login --server URL --api-key-file FILE", exitCode: .usage)
        }
        do { return try ServerURL(validating: text) } catch {
            throw Complaint(Printable.text(error.description), exitCode: .usage)
        }
    }

    static func edge(_ text: String) throws(Complaint) -> EdgeAddress {
        guard let edge = EdgeAddress(text) else {
            throw Complaint(
                "\"\(Printable.text(text))\" is not an address for --edge",
                advice: "Give a host and a port, such as 127.0.0.1:8443 or [::1]:8443.", exitCode: .usage)
        }
        return edge
    }

    /// The key: from the file when one is named, else the stored one, which goes to the server that it was stored for only.
    private static func apiKey(
        file: String?, stored: StoredConfiguration, server: ServerURL
    ) throws(Complaint) -> APIKeySource {
        if let file { return .fixed(try readKey(file)) }
        guard let key = stored.apiKey else {
            throw Complaint(
                "no API key is known", advice: "Log in once: culvert login --server \(server) --api-key-file FILE",
                exitCode: .authentication)
        }
        guard let home = stored.server, (try? ServerURL(validating: home)) == server else {
            throw Complaint(
                "the stored API key belongs to \(stored.server ?? "another server"), not to \(server)",
                advice: "Give this server's key with --api-key-file FILE.", exitCode: .authentication)
        }
        return .fixed(key)
    }

    /// The key in a file, or from standard input.
    static func readKey(_ file: String) throws(Complaint) -> String {
        let bytes = try PrivateFile.readForeign(file)
        let key = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard let first = key.first, key.count == 1 else {
            throw Complaint(
                key.isEmpty ? "the API key file is empty" : "the API key file holds more than one word",
                advice: "It must hold the API key and nothing else.", exitCode: .usage)
        }
        return String(first)
    }

    var client: CulvertClient {
        get throws(Complaint) {
            CulvertClient(
                server: server, apiKey: apiKey, transport: try Network.transport(caFile: caFile),
                userAgent: "culvert/\(Version.text)")
        }
    }
}
