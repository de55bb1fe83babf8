internal import TunnelAgent
internal import TunnelClient
internal import TunnelProfile

/// Finds or makes the tunnel that `culvert http` or `culvert tls` serves, and what to connect with.
struct ServedTunnel {
    let settings: Settings
    let client: CulvertClient
    let memory: TunnelMemory
    /// Who ends the TLS of third parties: the server for `culvert http`, the agent for `culvert tls`.
    var mode = TunnelRecord.TLSMode.edge

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
        let remembered = try complaining(memory.name(forTarget: target))
        let tunnels = try await attempt("look up the tunnels") { client throws(ClientError) in try await client.tunnels() }
        if let wanted = name ?? remembered, let tunnel = tunnels.first(where: { $0.tunnelName == wanted }) {
            if name != nil || (isServable(tunnel.status) && tunnel.tlsMode == mode) { return try await reuse(tunnel) }
        }
        if let own = try await ownTunnel(among: tunnels) {
            guard let name, name != own.tunnelName else { return try await reuse(own) }
            throw Complaint(
                "the tunnel \(name) is not that of this API key, which is for the identity \(Printable.text(own.tunnelName))",
                advice: "Leave --name out, or give the key of \(name) or of the whole organization.", exitCode: .authentication)
        }
        if let name { return try await create(name) }
        return try await createWithMadeUpName(target: target)
    }

    /// The one tunnel that the key of an identity may serve; nil for a key of the whole organization.
    private func ownTunnel(among tunnels: [TunnelRecord]) async throws(Complaint) -> TunnelRecord? {
        guard tunnels.count == 1, let tunnel = tunnels.first, tunnel.agentIdentityID != nil else { return nil }
        do {
            return try await client.caller().authSubtype == .identityKey ? tunnel : nil
        } catch .refused(let refusal) where refusal.kind == .notFound {
            // A server without this call has no such keys.
            return nil
        } catch {
            throw Complaint(error, act: "ask who this key is", server: settings.server)
        }
    }

    private func reuse(_ tunnel: TunnelRecord) async throws(Complaint) -> Ready {
        let name = Printable.text(tunnel.tunnelName)
        guard tunnel.tlsMode == mode else { throw wrongMode(of: tunnel) }
        switch tunnel.status {
        case .active: break
        case .awaitingCert where mode == .passthrough: break
        case .deletePending:
            throw Complaint(
                "the tunnel \(name) is being deleted", advice: "Bring it back: culvert tunnels restore \(name)",
                exitCode: .conflict)
        case .awaitingCert, .deleted, .unknown:
            throw Complaint(
                "the tunnel \(name) is \(Printable.text(tunnel.status.word)) and cannot be served", exitCode: .conflict)
        }
        if tunnel.agentIdentityID != nil { return Ready(tunnel: tunnel, credential: .apiKey(try await apiKey())) }
        guard let secret = try complaining(memory.secret(of: tunnel)) else {
            throw Complaint(
                "the tunnel \(name) exists, but its connect secret is not on this machine",
                advice: "Make a new one, which is then kept here: culvert tunnels rotate-secret \(name)\n"
                    + "Or give another name with --name.", exitCode: .authentication)
        }
        return Ready(tunnel: tunnel, credential: .connectSecret(secret))
    }

    /// A passthrough tunnel is served before it has its certificate: having one signed is a part of serving it.
    private func isServable(_ status: TunnelRecord.Status) -> Bool {
        status == .active || status == .awaitingCert && mode == .passthrough
    }

    private func wrongMode(of tunnel: TunnelRecord) -> Complaint {
        let other: (command: String, advice: String) =
            switch mode {
            case .passthrough: ("culvert tls", "\"culvert http\" serves it if it is in edge mode. ")
            case .edge, .unknown: ("culvert http", "\"culvert tls\" serves it if it is in passthrough mode. ")
            }
        return Complaint(
            "the tunnel \(Printable.text(tunnel.tunnelName)) is in \(Printable.text(tunnel.tlsMode.word)) mode, which "
                + "\"\(other.command)\" does not serve",
            advice: other.advice + "A tunnel's mode cannot be changed; give another name with --name.", exitCode: .conflict)
    }

    private func create(_ name: String) async throws(Complaint) -> Ready {
        try await finish(
            attempt("create the tunnel \(name)") { [mode] client throws(ClientError) in
                try await client.createTunnel(named: name, tlsMode: mode)
            })
    }

    private func createWithMadeUpName(target: String) async throws(Complaint) -> Ready {
        var random = SystemRandomNumberGenerator()
        var attempt = 1
        while true {
            let name = PronounceableName.make(using: &random)
            do throws(Complaint) {
                let ready = try await create(name)
                try complaining(memory.remember(name: name, forTarget: target))
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
        try complaining(memory.remember(secret: secret, of: created.tunnel))
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
