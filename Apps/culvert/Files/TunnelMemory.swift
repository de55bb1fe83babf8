internal import FoundationEssentials
internal import TunnelClient
internal import TunnelDomain

/// What this machine remembers of the tunnels it has made: their connect secrets, and which name goes with which target.
struct TunnelMemory: Sendable {
    private let folder: String

    /// The memory for one server.
    init(state: String, server: ServerURL) {
        // Host and port are checked to be plain; a slash in the base path would make a folder.
        let place = server.authority + server.basePath.map { $0 == "/" ? "_" : String($0) }.joined()
        folder = "\(state)/\(server.scheme.rawValue)-\(place)"
    }

    /// A tunnel's secret, as it is kept.
    struct Remembered: Codable, Hashable, Sendable {
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
    func secret(of tunnel: TunnelRecord) throws(Complaint) -> String? {
        guard let path = path(ofTunnel: tunnel.tunnelName), let bytes = try PrivateFile.read(path) else { return nil }
        guard let kept = try? JSONDecoder().decode(Remembered.self, from: Data(bytes)), kept.tunnelID == tunnel.id else {
            return nil
        }
        return kept.connectSecret
    }

    /// Where a tunnel's secret is, or will be, kept; nil for a name that no tunnel can have.
    func path(ofTunnel name: String) -> String? {
        // The name came from a server: only a valid one may become part of a path.
        guard let name = try? TunnelName(validating: name) else { return nil }
        return "\(folder)/tunnels/\(name.text).json"
    }

    func remember(secret: String, of tunnel: TunnelRecord) throws(Complaint) {
        guard let path = path(ofTunnel: tunnel.tunnelName) else {
            throw Complaint("the server named a tunnel \"\(Printable.text(tunnel.tunnelName))\", which no tunnel can be called")
        }
        let kept = Remembered(tunnelID: tunnel.id, tunnelName: tunnel.tunnelName, connectSecret: secret)
        try PrivateFile.write(JSONFile.bytes(of: kept), to: path)
    }

    func forget(_ tunnel: TunnelRecord) {
        if let path = path(ofTunnel: tunnel.tunnelName) { PrivateFile.remove(path) }
    }

    /// The name that was made up for a target the last time.
    func name(forTarget target: String) throws(Complaint) -> String? { try names()[target] }

    func remember(name: String, forTarget target: String) throws(Complaint) {
        var names = try names()
        names[target] = name
        try PrivateFile.write(JSONFile.bytes(of: names), to: namesPath)
    }

    private var namesPath: String { "\(folder)/names.json" }

    private func names() throws(Complaint) -> [String: String] {
        guard let bytes = try PrivateFile.read(namesPath) else { return [:] }
        return (try? JSONDecoder().decode([String: String].self, from: Data(bytes))) ?? [:]
    }
}
