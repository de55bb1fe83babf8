internal import Glibc
internal import TunnelAgent
internal import TunnelClient

/// `culvert login`: tries the key, then keeps it.
struct Login {
    let words: ParsedWords
    let environment: [String: String]
    let console: Console

    func run() async throws(Complaint) {
        let server = try Settings.server(words.value("--server"))
        guard let file = words.value("--api-key-file") else {
            throw Complaint(
                "no API key is given",
                advice: "Put it into a file and give --api-key-file FILE, or - to read it from standard input.",
                exitCode: .usage)
        }
        let locations = try Locations(environment: environment)
        let caFile = try words.value("--ca-file").map { path throws(Complaint) in try Self.absolute(path) }
        let edge = try words.value("--edge").map { text throws(Complaint) in try Settings.edge(text).description }
        let key = try Settings.readKey(file)
        try await check(key, server: server, caFile: caFile)
        let stored = StoredConfiguration(server: server.description, apiKey: key, caFile: caFile, edge: edge)
        try stored.save(to: locations.configurationFile)
        report(server, locations.configurationFile)
    }

    private func check(_ key: String, server: ServerURL, caFile: String?) async throws(Complaint) {
        let client = CulvertClient(
            server: server, apiKey: .fixed(key), transport: try Network.transport(caFile: caFile),
            userAgent: "culvert/\(Version.text)")
        do { _ = try await client.tunnels() } catch { throw Complaint(error, act: "log in", server: server) }
    }

    private func report(_ server: ServerURL, _ path: String) {
        struct Report: Encodable {
            var server: String
            var file: String
        }
        if console.isJSON {
            console.printJSON(Report(server: server.description, file: path))
        } else {
            console.print("Logged in to \(server).")
            console.note("The API key is kept in \(path), which only you can read. Next: culvert http PORT")
        }
    }

    /// The file may be named from another folder the next time.
    private static func absolute(_ path: String) throws(Complaint) -> String {
        guard let resolved = realpath(path, nil) else {
            throw Complaint("\(Printable.text(path)) cannot be read: \(String(cString: strerror(errno)))", exitCode: .usage)
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
