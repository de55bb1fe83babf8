internal import Glibc
package import TunnelAgent
package import TunnelClient

/// Who the server is and what to show it, decided by what was given and what `culvert login` keeps, in this order.
package struct Profile: Sendable {
    /// What was given on the command line or in the environment; nil is left to what is kept.
    package struct Choices: Sendable, Hashable {
        package var server: String?
        package var apiKeyFile: String?
        package var caFile: String?
        package var edge: String?

        package init(server: String? = nil, apiKeyFile: String? = nil, caFile: String? = nil, edge: String? = nil) {
            self.server = server
            self.apiKeyFile = apiKeyFile
            self.caFile = caFile
            self.edge = edge
        }
    }

    package let server: ServerURL
    package let apiKey: APIKeySource
    /// Nil trusts the system's authorities.
    package let caFile: String?
    package let edge: EdgeAddress?
    package let locations: Locations
    /// Whether the key is the stored one, and not from a file that was named.
    package let isKeyStored: Bool

    package init(_ choices: Choices, environment: [String: String]) throws(ProfileFlaw) {
        locations = try Locations(environment: environment)
        let stored = try StoredConfiguration.load(from: locations.configurationFile)
        server = try Self.server(choices.server ?? stored.server)
        isKeyStored = choices.apiKeyFile == nil
        if let file = choices.apiKeyFile {
            apiKey = try Self.key(inFile: file)
        } else {
            apiKey = try Self.storedKey(stored, for: server, locations.configurationFile)
        }
        caFile = choices.caFile ?? stored.caFile
        edge = try (choices.edge ?? stored.edge).map { text throws(ProfileFlaw) in try Self.edge(text) }
    }

    /// What this machine remembers of the server's tunnels.
    package var memory: TunnelMemory { TunnelMemory(state: locations.state, server: server) }

    /// - Parameter userAgent: what the program calls itself (RFC 9110 section 10.1.5).
    package func client(userAgent: String) throws(ProfileFlaw) -> CulvertClient {
        CulvertClient(server: server, apiKey: apiKey, transport: try Self.transport(caFile: caFile), userAgent: userAgent)
    }
}

// MARK: - Its parts

extension Profile {
    package static func server(_ text: String?) throws(ProfileFlaw) -> ServerURL {
        guard let text else {
            throw ProfileFlaw(
                "no server is known", advice: "Log in once: culvert login --server URL --api-key-file FILE", kind: .usage)
        }
        do { return try ServerURL(validating: text) } catch {
            throw ProfileFlaw(Printable.text(error.description), kind: .usage)
        }
    }

    package static func edge(_ text: String) throws(ProfileFlaw) -> EdgeAddress {
        guard let edge = EdgeAddress(text) else {
            throw ProfileFlaw(
                "\"\(Printable.text(text))\" is not an address for --edge",
                advice: "Give a host and a port, such as 127.0.0.1:8443 or [::1]:8443.", kind: .usage)
        }
        return edge
    }

    package static func transport(caFile: String?) throws(ProfileFlaw) -> NetworkTransport {
        do {
            return try NetworkTransport(trust: caFile.map { .authorities(file: $0) } ?? .system)
        } catch {
            throw ProfileFlaw(
                "\(error)", advice: caFile == nil ? "" : "--ca-file must name a PEM file with at least one certificate.",
                kind: caFile == nil ? .machine : .usage)
        }
    }

    /// The key in a file, read again for each request when it is a file that can be read twice: it may be rotated.
    private static func key(inFile file: String) throws(ProfileFlaw) -> APIKeySource {
        let key = try AgentCredentials.read(file).apiKey
        var status = stat()
        guard file != "-", stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return .fixed(key) }
        return APIKeySource { try AgentCredentials.read(file).apiKey }
    }

    /// The stored key, which goes to the server that it was stored for only. Read again for each request, too.
    private static func storedKey(
        _ stored: StoredConfiguration, for server: ServerURL, _ path: String
    ) throws(ProfileFlaw) -> APIKeySource {
        guard let key = stored.apiKey else {
            throw ProfileFlaw(
                "no API key is known", advice: "Log in once: culvert login --server \(server) --api-key-file FILE",
                kind: .authentication)
        }
        guard let home = stored.server, (try? ServerURL(validating: home)) == server else {
            let owner = stored.server.map { Printable.text($0) } ?? "another server"
            throw ProfileFlaw(
                "the stored API key belongs to \(owner), not to \(server)",
                advice: "Give this server's key with --api-key-file FILE.", kind: .authentication)
        }
        return APIKeySource {
            let now = try StoredConfiguration.load(from: path)
            return now.server == stored.server ? now.apiKey ?? key : key
        }
    }
}
