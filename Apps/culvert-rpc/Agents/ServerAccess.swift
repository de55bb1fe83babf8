internal import TunnelClient
internal import TunnelProfile

/// The server and what this machine knows of it.
struct ServerAccess: Sendable {
    var profile: Profile
    var client: CulvertClient

    /// The tunnel that an agent is to serve, found or made, and what the agent shows for it.
    ///
    /// - Parameters:
    ///   - name: nil makes a new tunnel under a name of its own.
    ///   - mayTakeOver: whether another agent that serves the tunnel may be displaced.
    func servedTunnel(named name: String?, mayTakeOver: Bool) async throws -> ServedTunnel {
        let source = TunnelSource(client: client, apiKey: profile.apiKey, memory: profile.memory)
        do {
            guard let name else { return try await source.createWithMadeUpName() }
            let servable = try await client.servableTunnels()
            guard let tunnel = servable.tunnels.first(where: { $0.tunnelName == name }) else {
                return try await source.create(name)
            }
            guard mayTakeOver || !tunnel.currentlyConnected else {
                throw RPCFailure.make(
                    .conflict, "another agent serves the tunnel \(name); stop it, or say \"take_over\": true to displace it")
            }
            return try await source.reuse(tunnel, isConnectedByKey: servable.areConnectedByKey)
        } catch let flaw as TunnelSource.Flaw {
            throw Self.error(flaw)
        }
    }

    private static func error(_ flaw: TunnelSource.Flaw) -> any Error {
        switch flaw {
        case .otherMode(let tunnel), .beingDeleted(let tunnel), .notServable(let tunnel):
            RPCFailure.make(
                .conflict,
                "the tunnel \(Printable.text(tunnel.tunnelName)) is \(tunnel.status.word) in \(tunnel.tlsMode.word) mode and "
                    + "cannot be served")
        case .missingSecret(let tunnel):
            RPCFailure.make(
                .conflict,
                "the connect secret of \(Printable.text(tunnel.tunnelName)) is not on this machine; rotate it to have a "
                    + "new one here")
        case .settings(let flaw): flaw
        case .service(_, let error): error
        }
    }
}
