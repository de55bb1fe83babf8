internal import TunnelClient
internal import TunnelDomain
internal import TunnelProfile

/// `culvert identities …`.
struct IdentityCommands {
    let session: CommandSession

    static let listing = "culvert identities list"

    enum Action: String, CaseIterable {
        case list, get, create, update, rename, delete
        case signingKey = "signing-key"
    }

    func run(_ action: Action) async throws(Complaint) {
        switch action {
        case .list: try await list()
        case .get: try await show(find(session.argument))
        case .create: try await create()
        case .update: try await update()
        case .rename: try await rename()
        case .delete: try await delete()
        case .signingKey: try await signingKey()
        }
    }
}

// MARK: - The actions

extension IdentityCommands {
    private func list() async throws(Complaint) {
        struct List: Encodable { var identities: [IdentityRecord] }
        let identities = try await session.identities()
        session.show(List(identities: identities)) { IdentityText.table(identities) }
    }

    private func create() async throws(Complaint) {
        let words = session.words
        let handle = try Self.handle(session.argument)
        let mode = try words.value("--tls-mode").map { text throws(Complaint) in try TunnelArgument.tlsMode(text) }
        let (name, description) = (words.value("--display-name"), words.value("--description"))
        try await show(
            attempt("create the identity \(handle)") { client throws(ClientError) in
                try await client.createIdentity(handle: handle, displayName: name, description: description, tlsMode: mode)
            })
    }

    private func update() async throws(Complaint) {
        let change = try Self.change(session.words)
        let identity = try await find(session.argument)
        try await show(
            attempt("change the identity \(identity.agentHandle)") { client throws(ClientError) in
                try await client.updateIdentity(handle: identity.agentHandle, change)
            })
    }

    private func rename() async throws(Complaint) {
        let newHandle = try Self.handle(session.words.arguments[1])
        let identity = try await find(session.argument)
        let renamed = try await attempt("rename the identity \(identity.agentHandle) to \(newHandle)") {
            client throws(ClientError) in
            try await client.updateIdentity(handle: identity.agentHandle, IdentityChange(agentHandle: newHandle))
        }
        session.show(renamed) {
            let host = renamed.tunnel?.publicHost.map { " It answers at \(Printable.text($0)) from now on." } ?? ""
            return "\(Printable.text(identity.agentHandle)) is \(Printable.text(renamed.agentHandle)) now.\(host)"
        }
    }

    private func delete() async throws(Complaint) {
        let identity = try await find(session.argument)
        try await attempt("delete the identity \(identity.agentHandle)") { client throws(ClientError) in
            try await client.deleteIdentity(handle: identity.agentHandle)
        }
        session.show(Deleted(id: identity.id, name: identity.agentHandle)) {
            "\(Printable.text(identity.agentHandle)) is deleted, with its tunnel and its keys."
        }
    }

    private func signingKey() async throws(Complaint) {
        let words = session.words
        guard words.has("--rotate") else {
            guard words.value("--secret-file") == nil else {
                throw Complaint(
                    "--secret-file without --rotate has nothing to write: a signing key is shown only when it is made",
                    exitCode: .usage)
            }
            return try await showSigningKeyStatus()
        }
        let sink = try SecretSink(path: words.value("--secret-file"), console: session.console)
        let identity = try await find(session.argument)
        let made = try await attempt("make a signing key for \(identity.agentHandle)") { client throws(ClientError) in
            try await client.rotateSigningKey(ofIdentity: identity.agentHandle)
        }
        try sink.deliver(
            [SecretSink.Secret(name: "signing key", member: "signing_key", text: made.signingKey)], in: made, "",
            remark: " A signing key that there was before is void.")
    }

    private func showSigningKeyStatus() async throws(Complaint) {
        let identity = try await find(session.argument)
        let handle = Printable.text(identity.agentHandle)
        let status = try await attempt("look up the signing key of \(handle)") { client throws(ClientError) in
            try await client.signingKeyStatus(ofIdentity: identity.agentHandle)
        }
        session.show(status) {
            guard status.configured else {
                return "\(handle) has no signing key. Make one: culvert identities signing-key \(handle) --rotate"
            }
            return "\(handle) has a signing key\(status.createdAt.map { " since \(TunnelText.time($0))" } ?? "")."
        }
    }
}

// MARK: - Common parts

/// What is left to say of something that is deleted.
struct Deleted: Encodable {
    var id: String
    var name: String?
    var deleted = true
}

extension IdentityCommands {
    private func attempt<Value: Sendable>(
        _ act: String, _ call: (CulvertClient) async throws(ClientError) -> Value
    ) async throws(Complaint) -> Value {
        try await session.attempt(act, listing: Self.listing, call)
    }

    private func find(_ given: String) async throws(Complaint) -> IdentityRecord { try await session.identity(named: given) }

    private func show(_ identity: IdentityRecord) { session.show(identity) { IdentityText.details(identity) } }

    /// A handle as the server would read it, refused here if it would refuse it.
    static func handle(_ text: String) throws(Complaint) -> String {
        do { return try AgentHandle(validating: text).text } catch {
            throw Complaint(
                "\"\(Printable.text(text, characterCountMax: 80))\" cannot be an agent's handle. \(error.explanation)",
                advice:
                    "A handle has 3 to 63 of a-z, 0-9 and single hyphens, and begins and ends with a letter or digit.",
                exitCode: .usage)
        }
    }

    static func change(_ words: ParsedWords) throws(Complaint) -> IdentityChange {
        let change = IdentityChange(
            displayName: try words.change("--display-name"), description: try words.change("--description"))
        guard change != IdentityChange() else {
            throw Complaint(UsageError(message: "there is nothing to change", command: ["identities", "update"]))
        }
        return change
    }
}

extension ParsedWords {
    /// What an option and its `--clear-…` say of a member.
    func change(_ option: String) throws(Complaint) -> MemberChange<String> {
        let clear = "--clear-" + option.dropFirst(2)
        switch (value(option), has(clear)) {
        case (let text?, false): return .set(text)
        case (nil, true): return .clear
        case (nil, false): return .leave
        case (_?, true): throw Complaint("\(option) and \(clear) contradict each other", exitCode: .usage)
        }
    }
}

extension CommandSession {
    func identities() async throws(Complaint) -> [IdentityRecord] {
        try await attempt("list the identities", listing: IdentityCommands.listing) { client throws(ClientError) in
            try await client.identities()
        }
    }

    /// The identity that the command line names, by handle, with or without `@`, or by id.
    func identity(named given: String) async throws(Complaint) -> IdentityRecord {
        let identities = try await identities()
        let handle = (given.hasPrefix("@") ? String(given.dropFirst()) : given).lowercased()
        guard let identity = identities.first(where: { $0.agentHandle == handle || $0.id == handle }) else {
            throw Complaint(
                missing: "identity", given, among: identities.map(\.agentHandle), listing: IdentityCommands.listing)
        }
        return identity
    }
}
