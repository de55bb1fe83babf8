internal import TunnelAgent
internal import TunnelClient

/// Finds or makes the tunnel that `culvert http` serves, and what to connect with.
struct ServedTunnel {
    let settings: Settings
    let client: CulvertClient
    let memory: TunnelMemory

    /// New names are tried this often when the one made up is taken.
    private static let madeUpNamesMax = 5

    struct Ready {
        var tunnel: TunnelRecord
        var credential: AgentCredential
    }

    /// - Parameters:
    ///   - name: what the person asked for, or nil.
    ///   - target: what a made-up name is remembered by.
    func prepare(name: String?, target: String) async throws(Complaint) -> Ready {
        let remembered = try memory.name(forTarget: target)
        let tunnels = try await attempt("look up the tunnels") { client throws(ClientError) in try await client.tunnels() }
        if let wanted = name ?? remembered, let tunnel = tunnels.first(where: { $0.tunnelName == wanted }) {
            if name != nil || (tunnel.status == .active && tunnel.tlsMode == .edge) { return try await reuse(tunnel) }
        }
        if let name { return try await create(name) }
        return try await createWithMadeUpName(target: target)
    }

    private func reuse(_ tunnel: TunnelRecord) async throws(Complaint) -> Ready {
        let name = Printable.text(tunnel.tunnelName)
        switch tunnel.tlsMode {
        case .edge: break
        case .passthrough, .unknown:
            throw Complaint(
                "the tunnel \(name) is in \(tunnel.tlsMode.word) mode, which \"culvert http\" does not serve",
                advice: "Give another name with --name.", exitCode: .conflict)
        }
        switch tunnel.status {
        case .active: break
        case .deletePending:
            throw Complaint(
                "the tunnel \(name) is being deleted", advice: "Bring it back: culvert tunnels restore \(name)",
                exitCode: .conflict)
        case .awaitingCert, .deleted, .unknown:
            throw Complaint(
                "the tunnel \(name) is \(Printable.text(tunnel.status.word)) and cannot be served", exitCode: .conflict)
        }
        if tunnel.agentIdentityID != nil { return Ready(tunnel: tunnel, credential: .apiKey(try await apiKey())) }
        guard let secret = try memory.secret(of: tunnel) else {
            throw Complaint(
                "the tunnel \(name) exists, but its connect secret is not on this machine",
                advice: "Make a new one, which is then kept here: culvert tunnels rotate-secret \(name)\n"
                    + "Or give another name with --name.", exitCode: .authentication)
        }
        return Ready(tunnel: tunnel, credential: .connectSecret(secret))
    }

    private func create(_ name: String) async throws(Complaint) -> Ready {
        try await finish(
            attempt("create the tunnel \(name)") { client throws(ClientError) in try await client.createTunnel(named: name) })
    }

    private func createWithMadeUpName(target: String) async throws(Complaint) -> Ready {
        var random = SystemRandomNumberGenerator()
        var attempt = 1
        while true {
            let name = PronounceableName.make(using: &random)
            do throws(Complaint) {
                let ready = try await create(name)
                try memory.remember(name: name, forTarget: target)
                return ready
            } catch {
                guard error.exitCode == .conflict, attempt < Self.madeUpNamesMax else { throw error }
                attempt += 1
            }
        }
    }

    private func finish(_ created: CreatedTunnel) async throws(Complaint) -> Ready {
        guard let secret = created.connectSecret else {
            return Ready(tunnel: created.tunnel, credential: .apiKey(try await apiKey()))
        }
        try memory.remember(secret: secret, of: created.tunnel)
        return Ready(tunnel: created.tunnel, credential: .connectSecret(secret))
    }

    private func apiKey() async throws(Complaint) -> String {
        do { return try await settings.apiKey.key() } catch {
            throw Complaint(error, act: "read the API key", server: settings.server)
        }
    }

    private func attempt<Value: Sendable>(
        _ act: String, _ call: (CulvertClient) async throws(ClientError) -> Value
    ) async throws(Complaint) -> Value {
        do { return try await call(client) } catch { throw Complaint(error, act: act, server: settings.server) }
    }
}
