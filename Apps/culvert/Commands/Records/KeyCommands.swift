internal import FoundationEssentials
internal import TunnelClient
internal import TunnelDomain
internal import TunnelProfile

/// `culvert keys …`.
struct KeyCommands {
    let session: CommandSession

    static let listing = "culvert keys list"

    enum Action: String, CaseIterable { case list, get, create, revoke, rotate }

    func run(_ action: Action) async throws(Complaint) {
        switch action {
        case .list: try await list()
        case .get: try await get()
        case .create: try await create()
        case .revoke: try await revoke()
        case .rotate where session.words.arguments.isEmpty: try await KeyRotationCommand(session: session).run()
        case .rotate: try await rotate()
        }
    }

    private func list() async throws(Complaint) {
        struct List: Encodable {
            var keys: [APIKeyRecord]

            private enum CodingKeys: String, CodingKey { case keys = "api_keys" }
        }
        let keys = try await keys()
        guard !session.console.isJSON else { return session.console.printJSON(List(keys: keys)) }
        let needsHandles = keys.contains { $0.scopedIdentityID != nil }
        let handles = needsHandles ? try await session.identities().map { ($0.id, $0.agentHandle) } : []
        session.console.print(KeyText.table(keys, handles: Dictionary(handles, uniquingKeysWith: { first, _ in first })))
    }

    private func get() async throws(Complaint) {
        let key = try await find(session.argument)
        session.show(key) { KeyText.details(key, handle: nil) }
    }

    private func create() async throws(Complaint) {
        let words = session.words
        let (owner, scopes, ranges) = (words.value("--identity"), words.all("--scope"), words.all("--allow-from"))
        guard owner != nil || !scopes.isEmpty else {
            throw Complaint(
                UsageError(
                    message: "--identity HANDLE is missing: over the API only keys for one identity are minted, or for some "
                        + "scopes (--scope); \"culvertd\" makes keys for a whole organization", command: ["keys", "create"]))
        }
        let now = Date()
        let expiry = try words.value("--expires").map { text throws(Complaint) in
            try TimeArgument.moment(text, of: "--expires", .ahead, at: now)
        }
        let sink = try SecretSink(path: words.value("--secret-file"), console: session.console)
        var identity: IdentityRecord?
        if let owner { identity = try await session.identity(named: owner) }
        let (label, description, identityID) = (session.argument, words.value("--description"), identity?.id)
        let created = try await session.attempt("create the API key \(label)", listing: Self.listing) {
            client throws(ClientError) in
            try await client.createAPIKey(
                label: label, description: description, identityID: identityID, expiresAt: expiry,
                scopes: scopes.isEmpty ? nil : scopes, allowedIPRanges: ranges.isEmpty ? nil : ranges)
        }
        try sink.deliver(
            Self.secrets(created.apiKey, created.rotationSecret), in: created,
            KeyText.details(created.record, handle: identity?.agentHandle))
    }

    private static func secrets(_ apiKey: String, _ rotationSecret: String?) -> [SecretSink.Secret] {
        [SecretSink.Secret(name: "api key", member: "api_key", text: apiKey)]
            + (rotationSecret.map { [SecretSink.Secret(name: "rotation secret", member: "rotation_secret", text: $0)] } ?? [])
    }

    private func rotate() async throws(Complaint) {
        let words = session.words
        guard words.value("--rotation-secret-file") == nil else {
            throw Complaint(
                UsageError(
                    message: "--rotation-secret-file is for the key that is logged in; leave it out, or leave the ID out",
                    command: ["keys", "rotate"]))
        }
        let hours = try overlapHours()
        let sink = try SecretSink(path: words.value("--secret-file"), console: session.console)
        let id = try await id(of: session.argument)
        let rotated = try await session.attempt("rotate the API key", listing: Self.listing) { client throws(ClientError) in
            try await client.rotateAPIKey(id: id, overlapHours: hours)
        }
        let end = rotated.replacedRecord.status == .revoked ? nil : rotated.replacedRecord.expiresAt.map(TunnelText.time)
        try sink.deliver(
            Self.secrets(rotated.apiKey, rotated.rotationSecret), in: rotated, KeyText.details(rotated.record, handle: nil),
            remark: end.map { " The old one is good until \($0)." } ?? " The old one is refused from now on.")
    }

    private func overlapHours() throws(Complaint) -> Int {
        guard let text = session.words.value("--overlap-hours") else { return 0 }
        guard let hours = Int(text), let overlap = KeyOverlap(hours: hours) else {
            throw Complaint(
                UsageError(
                    message: "--overlap-hours \(Printable.text(text)) is no whole number from 0 to \(KeyOverlap.hoursMax)",
                    command: ["keys", "rotate"]))
        }
        return overlap.hours
    }

    /// An id needs no looking up, which takes a scope of its own.
    private func id(of given: String) async throws(Complaint) -> String {
        given.hasPrefix(SecretKind.apiKey.prefix) && given.contains("-") ? given : try await find(given).id
    }

    private func revoke() async throws(Complaint) {
        let key = try await find(session.argument)
        try await session.attempt("revoke the API key \(key.label)", listing: Self.listing) { client throws(ClientError) in
            try await client.revokeAPIKey(id: key.id)
        }
        struct Revoked: Encodable {
            var id: String
            var label: String
            var revoked = true
        }
        session.show(Revoked(id: key.id, label: key.label)) {
            "The API key \(Printable.text(key.label)) is revoked; whatever used it is cut off."
        }
    }

    private func keys() async throws(Complaint) -> [APIKeyRecord] {
        try await session.attempt("list the API keys", listing: Self.listing) { client throws(ClientError) in
            try await client.apiKeys()
        }
    }

    /// The key with this id, or the one valid key with this label.
    private func find(_ given: String) async throws(Complaint) -> APIKeyRecord {
        let keys = try await keys()
        if let key = keys.first(where: { $0.id == given }) { return key }
        let named = keys.filter { $0.label == given && $0.status != .revoked }
        guard let key = named.first else {
            throw Complaint(missing: "API key", given, among: keys.map(\.label), listing: Self.listing)
        }
        guard named.count == 1 else {
            throw Complaint(
                "\(named.count) API keys have the label \"\(Printable.text(given))\"",
                advice: "Give the id of one of them: " + named.map { Printable.text($0.id) }.joined(separator: ", ") + ".",
                exitCode: .conflict)
        }
        return key
    }
}
