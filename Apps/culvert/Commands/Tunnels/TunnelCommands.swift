internal import FoundationEssentials
internal import TunnelClient
internal import TunnelDomain
internal import TunnelProfile

/// `culvert tunnels …`.
struct TunnelCommands {
    let session: CommandSession
    private let memory: TunnelMemory

    init(_ session: CommandSession) {
        self.session = session
        memory = TunnelMemory(state: session.settings.locations.state, server: session.settings.server)
    }

    enum Action: String, CaseIterable {
        case list, get, create, update, delete, restore
        case forceDelete = "force-delete"
        case rotateSecret = "rotate-secret"
    }

    func run(_ action: Action) async throws(Complaint) {
        switch action {
        case .list: try await list()
        case .get: try await show(find())
        case .create: try await create()
        case .update: try await update()
        case .delete: try await delete()
        case .restore: try await restore()
        case .forceDelete: try await forceDelete()
        case .rotateSecret: try await rotateSecret()
        }
    }
}

// MARK: - The actions

extension TunnelCommands {
    private func list() async throws(Complaint) {
        struct List: Encodable { var tunnels: [TunnelRecord] }
        let tunnels = try await session.attempt("list the tunnels") { client throws(ClientError) in try await client.tunnels() }
        session.show(List(tunnels: tunnels)) { TunnelText.table(tunnels) }
    }

    private func create() async throws(Complaint) {
        let name = try TunnelArgument.name(session.argument)
        let words = session.words
        let (description, mode) = (words.value("--description"), try TunnelArgument.tlsMode(words.value("--tls-mode")))
        let sink = try SecretSink(path: words.value("--secret-file"), console: session.console)
        let created = try await session.attempt("create the tunnel \(name)") { client throws(ClientError) in
            try await client.createTunnel(named: name, description: description, tlsMode: mode)
        }
        guard let secret = created.connectSecret else { return show(created.tunnel) }
        try hand(over: secret, of: created.tunnel, in: created, TunnelText.details(created.tunnel), to: sink)
    }

    private func update() async throws(Complaint) {
        let change = try TunnelArgument.change(session.words)
        let tunnel = try await find()
        try await show(
            session.attempt("change the tunnel \(tunnel.tunnelName)") { client throws(ClientError) in
                try await client.updateTunnel(id: tunnel.id, change)
            })
    }

    private func delete() async throws(Complaint) {
        let tunnel = try await find()
        let deleted = try await session.attempt("delete the tunnel \(tunnel.tunnelName)") { client throws(ClientError) in
            try await client.deleteTunnel(id: tunnel.id)
        }
        guard !session.console.isJSON else { return session.console.printJSON(deleted) }
        let deadline = deleted.restoreDeadlineAt.map { " until \(TunnelText.time($0))" } ?? " for 24 hours"
        session.console.print("\(Printable.text(deleted.tunnelName)) no longer answers. It can be restored\(deadline).")
    }

    private func restore() async throws(Complaint) {
        let tunnel = try await find()
        try await show(
            session.attempt("restore the tunnel \(tunnel.tunnelName)") { client throws(ClientError) in
                try await client.restoreTunnel(id: tunnel.id)
            })
    }

    private func forceDelete() async throws(Complaint) {
        let tunnel = try await find()
        let deleted = try await session.attempt("finish the deletion of \(tunnel.tunnelName)") { client throws(ClientError) in
            try await client.forceDeleteTunnel(id: tunnel.id)
        }
        memory.forget(tunnel)
        guard !session.console.isJSON else { return session.console.printJSON(deleted) }
        session.console.print("\(Printable.text(deleted.tunnelName)) is deleted, and its name is free.")
    }

    private func rotateSecret() async throws(Complaint) {
        struct Rotated: Encodable {
            var connectSecret: String

            enum CodingKeys: String, CodingKey { case connectSecret = "connect_secret" }
        }
        let sink = try SecretSink(path: session.words.value("--secret-file"), console: session.console)
        let tunnel = try await find()
        let secret = try await session.attempt("rotate the secret of \(tunnel.tunnelName)") { client throws(ClientError) in
            try await client.rotateConnectSecret(tunnelID: tunnel.id)
        }
        try hand(over: secret, of: tunnel, in: Rotated(connectSecret: secret), "", to: sink)
    }
}

// MARK: - Common parts

extension TunnelCommands {
    /// The tunnel that the command line names, by name or by id.
    private func find() async throws(Complaint) -> TunnelRecord { try await session.tunnel(named: session.argument) }

    private func show(_ tunnel: TunnelRecord) { session.show(tunnel) { TunnelText.details(tunnel) } }

    /// Keeps the secret for `culvert http`, and gives it to whoever asked for it even when it cannot be kept.
    private func hand(
        over secret: String, of tunnel: TunnelRecord, in document: some Encodable, _ text: String, to sink: SecretSink
    ) throws(Complaint) {
        var problem: Complaint?
        do throws(ProfileFlaw) { try memory.remember(secret: secret, of: tunnel) } catch { problem = Complaint(error) }
        let place = problem == nil ? memory.path(ofTunnel: tunnel.tunnelName) : nil
        try sink.deliver(
            [SecretSink.Secret(name: "connect secret", member: "connect_secret", text: secret)], in: document, text,
            remark: place.map { " It is also kept in \($0)." } ?? "")
        if let problem { throw problem }
    }
}

extension CommandSession {
    /// The tunnel that the command line names, by name or by id.
    func tunnel(named given: String) async throws(Complaint) -> TunnelRecord {
        let tunnels = try await attempt("look up the tunnel") { client throws(ClientError) in try await client.tunnels() }
        guard
            let tunnel = tunnels.first(where: { $0.tunnelName == given })
                ?? tunnels.first(where: { $0.id == given.lowercased() })
        else { throw Complaint(missing: "tunnel", given, among: tunnels.map(\.tunnelName), listing: "culvert tunnels list") }
        return tunnel
    }
}
