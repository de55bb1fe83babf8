internal import FoundationEssentials
package import TunnelClient
internal import TunnelDomain

/// What this machine remembers of the tunnels it has made: their connect secrets, and which name goes with which target.
package struct TunnelMemory: Sendable {
    private let folder: String

    /// The memory for one server.
    package init(state: String, server: ServerURL) {
        // Host and port are checked to be plain; a slash in the base path would make a folder.
        let place = server.authority + server.basePath.map { $0 == "/" ? "_" : String($0) }.joined()
        folder = "\(state)/\(server.scheme.rawValue)-\(place)"
    }

    /// A tunnel's secret, as it is kept.
    private struct Remembered: Codable, Hashable, Sendable {
        var tunnelID: String
        var tunnelName: String
        var connectSecret: String

        private enum CodingKeys: String, CodingKey {
            case tunnelID = "tunnel_id"
            case tunnelName = "tunnel_name"
            case connectSecret = "connect_secret"
        }
    }

    /// The secret of this very tunnel; a deleted namesake's does not count.
    package func secret(of tunnel: TunnelRecord) throws(ProfileFlaw) -> String? {
        guard let path = path(ofTunnel: tunnel.tunnelName), let bytes = try PrivateFile.read(path) else { return nil }
        guard let kept = try? JSONDecoder().decode(Remembered.self, from: Data(bytes)), kept.tunnelID == tunnel.id else {
            return nil
        }
        return kept.connectSecret
    }

    /// Where a tunnel's secret is, or will be, kept; nil for a name that no tunnel can have.
    package func path(ofTunnel name: String) -> String? {
        // The name came from a server: only a valid one may become part of a path.
        guard let name = try? TunnelName(validating: name) else { return nil }
        return "\(folder)/tunnels/\(name.text).json"
    }

    package func remember(secret: String, of tunnel: TunnelRecord) throws(ProfileFlaw) {
        guard let path = path(ofTunnel: tunnel.tunnelName) else {
            throw ProfileFlaw(
                "the server named a tunnel \"\(Printable.text(tunnel.tunnelName))\", which no tunnel can be called")
        }
        let kept = Remembered(tunnelID: tunnel.id, tunnelName: tunnel.tunnelName, connectSecret: secret)
        try PrivateFile.write(JSONFile.bytes(of: kept), to: path)
    }

    package func forget(_ tunnel: TunnelRecord) {
        if let path = path(ofTunnel: tunnel.tunnelName) { PrivateFile.remove(path) }
    }

    /// The name that was made up for a target the last time.
    package func name(forTarget target: String) throws(ProfileFlaw) -> String? { try names()[target] }

    package func remember(name: String, forTarget target: String) throws(ProfileFlaw) {
        var names = try names()
        names[target] = name
        try PrivateFile.write(JSONFile.bytes(of: names), to: namesPath)
    }

    private var namesPath: String { "\(folder)/names.json" }

    private func names() throws(ProfileFlaw) -> [String: String] {
        guard let bytes = try PrivateFile.read(namesPath) else { return [:] }
        return (try? JSONDecoder().decode([String: String].self, from: Data(bytes))) ?? [:]
    }
}
