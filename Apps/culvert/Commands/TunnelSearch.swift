internal import TunnelClient
internal import TunnelProfile

/// Finds or makes the tunnel that `culvert http` or `culvert tls` serves, and what to connect with.
struct TunnelSearch {
    private let settings: Settings
    private let client: CulvertClient
    private let memory: TunnelMemory
    private let mode: TunnelRecord.TLSMode
    private let source: TunnelSource

    /// - Parameter mode: who ends the TLS of third parties: the server for `culvert http`, the agent for `culvert tls`.
    init(settings: Settings, client: CulvertClient, memory: TunnelMemory, mode: TunnelRecord.TLSMode = .edge) {
        self.settings = settings
        self.client = client
        self.memory = memory
        self.mode = mode
        source = TunnelSource(client: client, apiKey: settings.apiKey, memory: memory, mode: mode)
    }

    /// - Parameters:
    ///   - name: what the person asked for, or nil.
    ///   - target: what a made-up name is remembered by.
    func prepare(name: String?, target: String) async throws(Complaint) -> ServedTunnel {
        let remembered = try complaining(memory.name(forTarget: target))
        let servable = try await lookUp()
        if servable.areConnectedByKey { return try await pick(name, among: servable.tunnels) }
        let tunnels = servable.tunnels
        if let wanted = name ?? remembered, let tunnel = tunnels.first(where: { $0.tunnelName == wanted }) {
            if name != nil || (source.isServable(tunnel.status) && tunnel.tlsMode == mode) { return try await reuse(tunnel) }
        }
        if let own = try await ownTunnel(among: tunnels) {
            guard let name, name != own.tunnelName else { return try await reuse(own) }
            throw Complaint(
                "the tunnel \(name) is not that of this API key, which is for the identity \(Printable.text(own.tunnelName))",
                advice: "Leave --name out, or give the key of \(name) or of the whole organization.", exitCode: .authentication)
        }
        do throws(TunnelSource.Flaw) {
            if let name { return try await source.create(name) }
            let made = try await source.createWithMadeUpName()
            do { try memory.remember(name: made.tunnel.tunnelName, forTarget: target) } catch { throw .settings(error) }
            return made
        } catch {
            throw complaint(error)
        }
    }

    private func lookUp() async throws(Complaint) -> ServableTunnels {
        do { return try await client.servableTunnels() } catch {
            throw Complaint(error, act: "look up the tunnels", server: settings.server)
        }
    }

    /// The tunnel that a key is for which may do nothing but connect agents.
    private func pick(_ name: String?, among tunnels: [TunnelRecord]) async throws(Complaint) -> ServedTunnel {
        let names = tunnels.map { Printable.text($0.tunnelName) }.joined(separator: ", ")
        let fitting = tunnels.filter { name == nil || $0.tunnelName == name }
        guard let tunnel = fitting.first else {
            throw Complaint(
                "this API key connects no agent of \(Printable.text(name ?? "")); it is for \(names)",
                advice: "Give another name with --name, or another key with --api-key-file FILE.", exitCode: .authentication)
        }
        guard fitting.count == 1 else {
            throw Complaint(
                "this API key connects agents of several tunnels: \(names)", advice: "Say which with --name.",
                exitCode: .usage)
        }
        do throws(TunnelSource.Flaw) {
            return try await source.reuse(tunnel, isConnectedByKey: true)
        } catch {
            throw complaint(error)
        }
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

    private func reuse(_ tunnel: TunnelRecord) async throws(Complaint) -> ServedTunnel {
        do throws(TunnelSource.Flaw) { return try await source.reuse(tunnel) } catch { throw complaint(error) }
    }

    private func complaint(_ flaw: TunnelSource.Flaw) -> Complaint {
        switch flaw {
        case .otherMode(let tunnel): return otherMode(tunnel)
        case .beingDeleted(let tunnel):
            let name = Printable.text(tunnel.tunnelName)
            return Complaint(
                "the tunnel \(name) is being deleted", advice: "Bring it back: culvert tunnels restore \(name)",
                exitCode: .conflict)
        case .notServable(let tunnel):
            return Complaint(
                "the tunnel \(Printable.text(tunnel.tunnelName)) is \(Printable.text(tunnel.status.word)) and cannot be served",
                exitCode: .conflict)
        case .missingSecret(let tunnel):
            let name = Printable.text(tunnel.tunnelName)
            return Complaint(
                "the tunnel \(name) exists, but its connect secret is not on this machine",
                advice: "Make a new one, which is then kept here: culvert tunnels rotate-secret \(name)\n"
                    + "Or give another name with --name.", exitCode: .authentication)
        case .settings(let flaw): return Complaint(flaw)
        case .service(.create(let name), let error):
            return Complaint(error, act: "create the tunnel \(name)", server: settings.server)
        case .service(.readKey, let error): return Complaint(error, act: "read the API key", server: settings.server)
        }
    }

    private func otherMode(_ tunnel: TunnelRecord) -> Complaint {
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
}
