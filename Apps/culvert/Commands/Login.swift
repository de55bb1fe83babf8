internal import Glibc
internal import TunnelAgent
internal import TunnelClient
internal import TunnelDomain
internal import TunnelProfile

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
        let locations = try complaining(Locations(environment: environment))
        let caFile = try words.value("--ca-file").map { path throws(Complaint) in try Self.absolute(path) }
        let edge = try words.value("--edge").map { text throws(Complaint) in try Settings.edge(text).description }
        var credentials = try complaining(AgentCredentials.read(file))
        if let file = words.value("--rotation-secret-file") {
            credentials.rotationSecret = try complaining(AgentCredentials.readRotationSecret(file))
        }
        let caller = try await check(credentials.apiKey, server: server, caFile: caFile)
        let stored = StoredConfiguration(
            server: server.description, apiKey: credentials.apiKey, rotationSecret: credentials.rotationSecret, caFile: caFile,
            edge: edge)
        try complaining(stored.save(to: locations.configurationFile))
        report(server, identity: caller, locations.configurationFile)
    }

    /// Tries the key; the handle of the identity that it is for, or nil for a key of the whole organization.
    private func check(_ key: String, server: ServerURL, caFile: String?) async throws(Complaint) -> String? {
        let client = CulvertClient(
            server: server, apiKey: .fixed(key), transport: try Network.transport(caFile: caFile),
            userAgent: "culvert/\(Version.text)")
        do {
            try await Self.tryOut(client)
            return try await Self.handle(client)
        } catch {
            var complaint = Complaint(error, act: "log in", server: server)
            if case .refused(let refusal) = error, refusal.kind == .unauthenticated {
                complaint.advice = Self.advice(for: key)
            }
            throw complaint
        }
    }

    /// A narrowed key is good for some calls only; every key may ask who it is.
    private static func tryOut(_ client: CulvertClient) async throws(ClientError) {
        do {
            _ = try await client.tunnels()
        } catch .refused(let refusal) where refusal.code == "insufficient-scope" {
            _ = try await client.caller()
        } catch {
            throw error
        }
    }

    /// A server may be older than these calls: then nothing is told of the key.
    private static func handle(_ client: CulvertClient) async throws(ClientError) -> String? {
        do {
            guard try await client.caller().authSubtype == .identityKey else { return nil }
            return try await client.identities().first?.agentHandle
        } catch .refused {
            return nil
        } catch .unusableAnswer {
            return nil
        }
    }

    /// A mistyped key is told from a revoked one by its checksum.
    private static func advice(for key: String) -> String {
        do throws(SecretFormatError) {
            try SecretFormat.check(key, is: .apiKey)
            return "The server does not know this API key, or it is revoked. Is it this server's? Ask for a new one."
        } catch {
            return error.explanation
        }
    }

    private func report(_ server: ServerURL, identity: String?, _ path: String) {
        struct Report: Encodable {
            var server: String
            var identity: String?
            var file: String
        }
        if console.isJSON {
            console.printJSON(Report(server: server.description, identity: identity, file: path))
        } else {
            console.print("Logged in to \(server)\(identity.map { " as \(Printable.text($0))" } ?? "").")
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
