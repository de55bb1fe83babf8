internal import FoundationEssentials
internal import TunnelClient
internal import TunnelDomain

/// `culvert tunnels …`.
struct TunnelCommands {
    let words: ParsedWords
    let settings: Settings
    let console: Console
    private let client: CulvertClient
    private let memory: TunnelMemory

    init(words: ParsedWords, settings: Settings, console: Console) throws(Complaint) {
        self.words = words
        self.settings = settings
        self.console = console
        client = try settings.client
        memory = TunnelMemory(state: settings.locations.state, server: settings.server)
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
        let tunnels = try await attempt("list the tunnels") { client throws(ClientError) in try await client.tunnels() }
        if console.isJSON { console.printJSON(List(tunnels: tunnels)) } else { console.print(TunnelText.table(tunnels)) }
    }

    private func create() async throws(Complaint) {
        let name = try TunnelArgument.name(words.arguments[0])
        let (description, mode) = (words.value("--description"), try TunnelArgument.tlsMode(words.value("--tls-mode")))
        let created = try await attempt("create the tunnel \(name)") { client throws(ClientError) in
            try await client.createTunnel(named: name, description: description, tlsMode: mode)
        }
        if let secret = created.connectSecret { try memory.remember(secret: secret, of: created.tunnel) }
        guard !console.isJSON else { return console.printJSON(created) }
        console.print(TunnelText.details(created.tunnel))
        if let secret = created.connectSecret { showSecret(secret, of: created.tunnel) }
    }

    private func update() async throws(Complaint) {
        let change = try TunnelArgument.change(words)
        let tunnel = try await find()
        try await show(
            attempt("change the tunnel \(tunnel.tunnelName)") { client throws(ClientError) in
                try await client.updateTunnel(id: tunnel.id, change)
            })
    }

    private func delete() async throws(Complaint) {
        let tunnel = try await find()
        let deleted = try await attempt("delete the tunnel \(tunnel.tunnelName)") { client throws(ClientError) in
            try await client.deleteTunnel(id: tunnel.id)
        }
        guard !console.isJSON else { return console.printJSON(deleted) }
        let deadline = deleted.restoreDeadlineAt.map { " until \(TunnelText.time($0))" } ?? " for 24 hours"
        console.print("\(Printable.text(deleted.tunnelName)) no longer answers. It can be restored\(deadline).")
    }

    private func restore() async throws(Complaint) {
        let tunnel = try await find()
        try await show(
            attempt("restore the tunnel \(tunnel.tunnelName)") { client throws(ClientError) in
                try await client.restoreTunnel(id: tunnel.id)
            })
    }

    private func forceDelete() async throws(Complaint) {
        let tunnel = try await find()
        let deleted = try await attempt("finish the deletion of \(tunnel.tunnelName)") { client throws(ClientError) in
            try await client.forceDeleteTunnel(id: tunnel.id)
        }
        memory.forget(tunnel)
        guard !console.isJSON else { return console.printJSON(deleted) }
        console.print("\(Printable.text(deleted.tunnelName)) is deleted, and its name is free.")
    }

    private func rotateSecret() async throws(Complaint) {
        struct Rotated: Encodable {
            var connectSecret: String

            enum CodingKeys: String, CodingKey { case connectSecret = "connect_secret" }
        }
        let tunnel = try await find()
        let secret = try await attempt("rotate the secret of \(tunnel.tunnelName)") { client throws(ClientError) in
            try await client.rotateConnectSecret(tunnelID: tunnel.id)
        }
        try memory.remember(secret: secret, of: tunnel)
        if console.isJSON { console.printJSON(Rotated(connectSecret: secret)) } else { showSecret(secret, of: tunnel) }
    }
}

// MARK: - Common parts

extension TunnelCommands {
    private func attempt<Value: Sendable>(
        _ act: String, _ call: (CulvertClient) async throws(ClientError) -> Value
    ) async throws(Complaint) -> Value {
        do { return try await call(client) } catch { throw Complaint(error, act: act, server: settings.server) }
    }

    /// The tunnel that the command line names, by name or by id.
    private func find() async throws(Complaint) -> TunnelRecord {
        let given = words.arguments[0]
        let tunnels = try await attempt("look up the tunnel") { client throws(ClientError) in try await client.tunnels() }
        guard
            let tunnel = tunnels.first(where: { $0.tunnelName == given })
                ?? tunnels.first(where: { $0.id == given.lowercased() })
        else {
            throw Complaint(
                "there is no tunnel \"\(Printable.text(given))\"", advice: "\"culvert tunnels list\" shows what there is.",
                exitCode: .notFound)
        }
        return tunnel
    }

    private func show(_ tunnel: TunnelRecord) {
        if console.isJSON { console.printJSON(tunnel) } else { console.print(TunnelText.details(tunnel)) }
    }

    private func showSecret(_ secret: String, of tunnel: TunnelRecord) {
        console.print("connect secret  \(Printable.text(secret))")
        let place = memory.path(ofTunnel: tunnel.tunnelName).map { ", and is kept in \($0)" } ?? ""
        console.note("The server shows this secret once\(place).")
    }
}
