internal import FoundationEssentials
internal import TunnelClient

/// `culvert webhooks …`.
struct WebhookCommands {
    let session: CommandSession

    static let listing = "culvert webhooks list"

    enum Action: String, CaseIterable {
        case list, get, create, update, delete, deliveries, delivery, replay
        case rotateSecret = "rotate-secret"
    }

    func run(_ action: Action) async throws(Complaint) {
        switch action {
        case .list: try await list()
        case .get: try await get()
        case .create: try await create()
        case .update: try await update()
        case .delete: try await delete()
        case .deliveries: try await deliveries()
        case .delivery: try await delivery()
        case .replay: try await replay()
        case .rotateSecret: try await rotateSecret()
        }
    }

    private func list() async throws(Complaint) {
        struct List: Encodable { var subscriptions: [WebhookSubscription] }
        let subscriptions = try await attempt("list the webhooks") { client throws(ClientError) in
            try await client.webhookSubscriptions()
        }
        session.show(List(subscriptions: subscriptions)) { WebhookText.table(subscriptions) }
    }

    private func create() async throws(Complaint) {
        let words = session.words
        guard let list = words.value("--types") else {
            throw Complaint(
                UsageError(
                    message: "--types LIST is missing, such as tunnel.connected,tunnel.disconnected",
                    command: ["webhooks", "create"]))
        }
        let types = try EventsCommand.types(list)
        let sink = try SecretSink(path: words.value("--secret-file"), console: session.console)
        let identity = try await identityID(words.value("--identity"))
        let (url, description) = (session.argument, words.value("--description"))
        let created = try await attempt("subscribe \(url)") { client throws(ClientError) in
            try await client.createWebhookSubscription(
                url: url, eventTypes: types, description: description, identityID: identity)
        }
        let secrets = [("webhook secret", "secret", created.secret), ("signing key", "signing_key", created.signingKey)]
            .compactMap { name, member, text in
                text.map { SecretSink.Secret(name: name, member: member, text: $0) }
            }
        try sink.deliver(secrets, in: created, WebhookText.details(created.subscription))
    }

    private func get() async throws(Complaint) {
        let id = session.argument
        let subscription = try await attempt("look up the webhook \(id)") { client throws(ClientError) in
            try await client.webhookSubscription(id: id)
        }
        session.show(subscription) { WebhookText.details(subscription) }
    }

    private func update() async throws(Complaint) {
        let words = session.words
        let types = try words.value("--types").map { text throws(Complaint) in try EventsCommand.types(text) }
        let change = WebhookChange(
            url: words.value("--url"), eventTypes: types, description: try words.change("--description"))
        guard change != WebhookChange() else {
            throw Complaint(UsageError(message: "there is nothing to change", command: ["webhooks", "update"]))
        }
        let id = session.argument
        let subscription = try await attempt("change the webhook \(id)") { client throws(ClientError) in
            try await client.updateWebhookSubscription(id: id, change)
        }
        session.show(subscription) { WebhookText.details(subscription) }
    }

    private func delete() async throws(Complaint) {
        let id = session.argument
        try await attempt("delete the webhook \(id)") { client throws(ClientError) in
            try await client.deleteWebhookSubscription(id: id)
        }
        session.show(Deleted(id: id)) { "Nothing is delivered to this webhook any more." }
    }

    private func rotateSecret() async throws(Complaint) {
        struct Rotated: Encodable {
            var id: String
            var secret: String
        }
        let sink = try SecretSink(path: session.words.value("--secret-file"), console: session.console)
        let id = session.argument
        let secret = try await attempt("rotate the secret of the webhook \(id)") { client throws(ClientError) in
            try await client.rotateWebhookSecret(subscriptionID: id)
        }
        try sink.deliver(
            [SecretSink.Secret(name: "webhook secret", member: "secret", text: secret)], in: Rotated(id: id, secret: secret), ""
        )
    }
}

// MARK: - Deliveries

extension WebhookCommands {
    private func deliveries() async throws(Complaint) {
        struct List: Encodable { var deliveries: [WebhookDelivery] }
        let id = session.argument
        let limit = try AuditCommands.limit(session.words)
        let size = min(limit ?? Int.max, PagedList<WebhookDelivery>.pageSizeMax)
        let deliveries = try await attempt("list the deliveries of \(id)") { client throws(ClientError) in
            try await client.webhookDeliveries(subscriptionID: id, pageSize: size).collect(limit: limit)
        }
        session.show(List(deliveries: deliveries)) { WebhookText.table(deliveries) }
    }

    private func delivery() async throws(Complaint) {
        let id = session.argument
        let delivery = try await attempt("look up the delivery \(id)", listing: "culvert webhooks deliveries ID") {
            client throws(ClientError) in
            try await client.webhookDelivery(id: id)
        }
        session.show(delivery) { WebhookText.details(delivery) }
    }

    private func replay() async throws(Complaint) {
        let id = session.argument
        let delivery = try await attempt("replay the delivery \(id)", listing: "culvert webhooks deliveries ID") {
            client throws(ClientError) in
            try await client.replayWebhookDelivery(id: id)
        }
        session.show(delivery) { WebhookText.details(delivery) }
    }

    private func attempt<Value: Sendable>(
        _ act: String, listing: String = listing, _ call: (CulvertClient) async throws(ClientError) -> Value
    ) async throws(Complaint) -> Value {
        try await session.attempt(act, listing: listing, call)
    }

    private func identityID(_ handle: String?) async throws(Complaint) -> String? {
        guard let handle else { return nil }
        return try await session.identity(named: handle).id
    }
}

/// Webhooks as people read them.
enum WebhookText {
    static func table(_ subscriptions: [WebhookSubscription]) -> String {
        guard !subscriptions.isEmpty else { return "There are no webhooks. \"culvert webhooks create URL\" makes one." }
        return TextTable.rows(
            ["ID", "STATUS", "EVENTS", "URL"],
            subscriptions.map { [$0.id, $0.failingSince == nil ? $0.status?.rawValue ?? "-" : "failing", types($0), $0.url] })
    }

    static func details(_ subscription: WebhookSubscription) -> String {
        TextTable.details([
            ("id", subscription.id), ("url", subscription.url), ("events", types(subscription)),
            ("status", subscription.status?.rawValue), ("identity", subscription.agentIdentityID),
            ("description", subscription.description), ("failing since", subscription.failingSince.map(TunnelText.time)),
            ("created", subscription.createdAt.map(TunnelText.time)),
        ])
    }

    static func table(_ deliveries: [WebhookDelivery]) -> String {
        guard !deliveries.isEmpty else { return "Nothing has been delivered yet." }
        return TextTable.rows(
            ["TIME", "EVENT", "STATUS", "ATTEMPTS", "LAST ANSWER", "ID"],
            deliveries.map {
                [
                    $0.createdAt.map(TunnelText.time) ?? "-", $0.eventType.rawValue, $0.status?.rawValue ?? "-",
                    $0.attemptCount.map { "\($0)" } ?? "-", answer($0) ?? "-", $0.id,
                ]
            })
    }

    static func details(_ delivery: WebhookDelivery) -> String {
        TextTable.details([
            ("id", delivery.id), ("event", delivery.eventType.rawValue), ("webhook id", delivery.webhookID),
            ("subscription", delivery.subscriptionID), ("status", delivery.status?.rawValue),
            ("attempts", delivery.attemptCount.map { "\($0)" }), ("last answer", answer(delivery)),
            ("last attempt", delivery.lastAttemptAt.map(TunnelText.time)),
            ("next attempt", delivery.nextAttemptAt.map(TunnelText.time)), ("replay of", delivery.replayOf),
            ("made", delivery.createdAt.map(TunnelText.time)), ("ended", delivery.endedAt.map(TunnelText.time)),
        ])
    }

    private static func types(_ subscription: WebhookSubscription) -> String {
        subscription.eventTypes.map(\.rawValue).joined(separator: ",")
    }

    private static func answer(_ delivery: WebhookDelivery) -> String? {
        delivery.lastError ?? delivery.lastStatus.map { "\($0)" }
    }
}
