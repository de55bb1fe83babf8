internal import TunnelAgent
internal import TunnelClient
internal import TunnelProfile

/// The tunnel that an agent is to serve, found or made, and what the agent shows for it.
struct ServedTunnel {
    var tunnel: TunnelRecord
    var credential: AgentCredential

    /// Names are tried this often when the one made up is taken.
    private static let madeUpNamesMax = 5

    /// - Parameters:
    ///   - name: nil makes a new tunnel under a name of its own.
    ///   - mayTakeOver: whether another agent that serves the tunnel may be displaced.
    static func prepare(name: String?, mayTakeOver: Bool, _ server: ServerAccess) async throws -> ServedTunnel {
        guard let name else { return try await makeUp(server) }
        guard let tunnel = try await server.client.tunnel(named: name) else { return try await create(name, server) }
        guard mayTakeOver || !tunnel.currentlyConnected else {
            throw RPCFailure.make(
                .conflict, "another agent serves the tunnel \(name); stop it, or say \"take_over\": true to displace it")
        }
        return try await reuse(tunnel, server)
    }

    private static func reuse(_ tunnel: TunnelRecord, _ server: ServerAccess) async throws -> ServedTunnel {
        let name = Printable.text(tunnel.tunnelName)
        guard tunnel.tlsMode == .edge, tunnel.status == .active else {
            throw RPCFailure.make(
                .conflict, "the tunnel \(name) is \(tunnel.status.word) in \(tunnel.tlsMode.word) mode and cannot be served")
        }
        if tunnel.agentIdentityID != nil {
            return ServedTunnel(tunnel: tunnel, credential: .apiKey(try await server.profile.apiKey.key()))
        }
        guard let secret = try server.profile.memory.secret(of: tunnel) else {
            throw RPCFailure.make(
                .conflict, "the connect secret of \(name) is not on this machine; rotate it to have a new one here")
        }
        return ServedTunnel(tunnel: tunnel, credential: .connectSecret(secret))
    }

    private static func create(_ name: String, _ server: ServerAccess) async throws -> ServedTunnel {
        let created = try await server.client.createTunnel(named: name)
        guard let secret = created.connectSecret else {
            return ServedTunnel(tunnel: created.tunnel, credential: .apiKey(try await server.profile.apiKey.key()))
        }
        try server.profile.memory.remember(secret: secret, of: created.tunnel)
        return ServedTunnel(tunnel: created.tunnel, credential: .connectSecret(secret))
    }

    private static func makeUp(_ server: ServerAccess) async throws -> ServedTunnel {
        var random = SystemRandomNumberGenerator()
        var attempt = 1
        while true {
            do {
                return try await create(PronounceableName.make(using: &random), server)
            } catch ClientError.refused(let refusal) where refusal.kind == .conflict && attempt < madeUpNamesMax {
                attempt += 1
            }
        }
    }
}

/// The server and what this machine knows of it.
struct ServerAccess: Sendable {
    var profile: Profile
    var client: CulvertClient
}
