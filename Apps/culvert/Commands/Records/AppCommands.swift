internal import TunnelClient
internal import TunnelProfile

/// `culvert apps …`.
struct AppCommands {
    let session: CommandSession

    static let listing = "culvert apps list"

    enum Action: String, CaseIterable {
        case list, get, create, delete
        case rotateSecret = "rotate-secret"
    }

    func run(_ action: Action) async throws(Complaint) {
        switch action {
        case .list: try await list()
        case .get: try await get()
        case .create: try await create()
        case .delete: try await delete()
        case .rotateSecret: try await rotateSecret()
        }
    }

    private func list() async throws(Complaint) {
        struct List: Encodable { var apps: [AppRecord] }
        let apps = try await apps()
        session.show(List(apps: apps)) { AppText.table(apps) }
    }

    private func get() async throws(Complaint) {
        let app = try await find(session.argument)
        session.show(app) { AppText.details(app) }
    }

    private func create() async throws(Complaint) {
        let words = session.words
        let scopes = try Self.scopes(words.value("--scopes"))
        let sink = try SecretSink(path: words.value("--secret-file"), console: session.console)
        let name = session.argument
        let created = try await attempt("create the app \(name)") { client throws(ClientError) in
            try await client.createApp(named: name, scopes: scopes)
        }
        try sink.deliver(
            [SecretSink.Secret(name: "client secret", member: "client_secret", text: created.clientSecret)], in: created,
            AppText.details(created.app))
    }

    private func delete() async throws(Complaint) {
        let app = try await find(session.argument)
        try await attempt("delete the app \(app.name)") { client throws(ClientError) in
            try await client.deleteApp(clientID: app.clientID)
        }
        session.show(Deleted(id: app.clientID, name: app.name)) {
            "The app \(Printable.text(app.name)) is deleted; its credential is refused from now on."
        }
    }

    private func rotateSecret() async throws(Complaint) {
        struct Rotated: Encodable {
            var clientID: String
            var clientSecret: String

            private enum CodingKeys: String, CodingKey {
                case clientID = "client_id"
                case clientSecret = "client_secret"
            }
        }
        let sink = try SecretSink(path: session.words.value("--secret-file"), console: session.console)
        let app = try await find(session.argument)
        let secret = try await attempt("rotate the secret of \(app.name)") { client throws(ClientError) in
            try await client.rotateClientSecret(ofApp: app.clientID)
        }
        try sink.deliver(
            [SecretSink.Secret(name: "client secret", member: "client_secret", text: secret)],
            in: Rotated(clientID: app.clientID, clientSecret: secret), "", remark: " The old one is refused from now on.")
    }
}

extension AppCommands {
    private func attempt<Value: Sendable>(
        _ act: String, _ call: (CulvertClient) async throws(ClientError) -> Value
    ) async throws(Complaint) -> Value {
        try await session.attempt(act, listing: Self.listing, call)
    }

    private func apps() async throws(Complaint) -> [AppRecord] {
        try await attempt("list the apps") { client throws(ClientError) in try await client.apps() }
    }

    /// The app with this client id, or the one with this name.
    private func find(_ given: String) async throws(Complaint) -> AppRecord {
        let apps = try await apps()
        if let app = apps.first(where: { $0.clientID == given }) { return app }
        let named = apps.filter { $0.name == given }
        guard let app = named.first else {
            throw Complaint(missing: "app", given, among: apps.map(\.name), listing: Self.listing)
        }
        guard named.count == 1 else {
            throw Complaint(
                "\(named.count) apps have the name \"\(Printable.text(given))\"",
                advice: "Give the client id of one of them: "
                    + named.map { Printable.text($0.clientID) }.joined(separator: ", ") + ".", exitCode: .conflict)
        }
        return app
    }

    static func scopes(_ text: String?) throws(Complaint) -> [AppRecord.Scope] {
        let known = AppRecord.Scope.known.map(\.rawValue)
        guard let text else {
            throw Complaint(
                UsageError(message: "--scopes LIST is missing: \(known.joined(separator: ","))", command: ["apps", "create"]))
        }
        return try WordList.read(text, of: "--scopes", "scope", known: known).map(AppRecord.Scope.init(rawValue:))
    }
}
