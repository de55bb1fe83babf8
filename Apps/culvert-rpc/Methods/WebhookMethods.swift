internal import TunnelClient
internal import TunnelWire

/// Where the service delivers its events, and how each delivery went.
struct WebhookMethods: Sendable {
    let services: Services

    var all: [Method] { subscriptions + deliveries }

    private func call(
        _ name: String, _ summary: String, _ parameters: [Method.Parameter] = [], result: JSON,
        _ work: @escaping @Sendable (CulvertClient, Arguments) async throws -> JSON
    ) -> Method {
        Method(
            name: name, summary: summary, parameters: parameters, result: result,
            run: .later { [services] arguments in try await work(services.server.client, arguments) })
    }

    private static let id = Method.Parameter.required("id", Schema.string("the webhook's id", max: 200))
    private static let delivery = Method.Parameter.required("id", Schema.string("the delivery's id", max: 200))
    private static let url = Schema.string("where events are sent: https, or http where the operator allows it", max: 2048)
    private static let types = Schema.list(of: Schema.string("such as tunnel.connected"), "the events that are sent")
    private static let description = Schema.string("for people", max: 1000)

    private static let subscriptionSchema = Schema.object(
        [
            "id": Schema.string("unique, for ever"), "url": Schema.string("where events are sent"),
            "event_types": Schema.list(of: Schema.string("a type"), "the events that are sent"),
            "description": Schema.orNull(Schema.string("for people")),
            "agent_identity_id": Schema.orNull(Schema.string("the identity whose events alone are sent")),
            "failing_since": Schema.orNull(Schema.time("since when no delivery succeeds")),
        ], required: ["id", "url", "event_types"], "a webhook, without its secret")

    private static let deliverySchema = Schema.object(
        [
            "id": Schema.string("unique, for ever"), "event_type": Schema.string("such as tunnel.connected"),
            "status": Schema.string("pending, delivered or exhausted"),
            "attempt_count": Schema.integer("attempts so far"),
            "next_attempt_at": Schema.orNull(Schema.time("when it is tried again")),
            "last_status": Schema.orNull(Schema.integer("the receiver's last HTTP status")),
            "last_error": Schema.orNull(Schema.string("why the last attempt failed")),
            "replay_of": Schema.orNull(Schema.string("the delivery that it repeats")),
        ], required: ["id", "event_type"], "one delivery of one event")

    private var subscriptions: [Method] {
        [
            call(
                "webhooks.list", "Lists the webhooks, never their secrets.",
                result: Schema.object(
                    ["webhooks": Schema.list(of: Self.subscriptionSchema, "newest first")], required: ["webhooks"])
            ) { client, _ in .members(["webhooks": try .document(try await client.webhookSubscriptions())]) },
            call("webhooks.get", "Shows one webhook.", [Self.id], result: Self.subscriptionSchema) { client, arguments in
                try .document(try await client.webhookSubscription(id: arguments.text("id")))
            },
            call(
                "webhooks.create", "Has events sent to a URL; the secret that signs them is shown this once.",
                [
                    .required("url", Self.url), .required("event_types", Self.types),
                    .optional("description", Self.description),
                    .optional("identity_id", Schema.string("only what concerns this identity", max: 100)),
                ], result: Self.subscriptionSchema
            ) { client, arguments in
                try .document(
                    try await client.createWebhookSubscription(
                        url: arguments.text("url"), eventTypes: Self.types(arguments) ?? [],
                        description: arguments.string("description"), identityID: arguments.string("identity_id")))
            },
            call(
                "webhooks.update", "Changes a webhook. Null clears, absence leaves.",
                [
                    Self.id, .optional("url", Self.url), .optional("event_types", Self.types),
                    .optional("description", Schema.orNull(Self.description)),
                ], result: Self.subscriptionSchema
            ) { client, arguments in
                let change = WebhookChange(
                    url: arguments.string("url"), eventTypes: Self.types(arguments),
                    description: .init(arguments["description"]))
                guard change != WebhookChange() else { throw JSONRPCError.invalidParams("there is nothing to change") }
                return try .document(try await client.updateWebhookSubscription(id: arguments.text("id"), change))
            },
            call(
                "webhooks.delete", "Deletes a webhook; nothing is sent to it any more.", [Self.id],
                result: Schema.object(["is_done": Schema.flag("it is")], required: ["is_done"])
            ) { client, arguments in
                try await client.deleteWebhookSubscription(id: arguments.text("id"))
                return .members(["is_done": .bool(true)])
            },
            call(
                "webhooks.rotateSecret",
                "Replaces the secret that signs a webhook's deliveries; the new one is shown this once.", [Self.id],
                result: Schema.object(["secret": Schema.string("the secret")], required: ["secret"])
            ) { client, arguments in
                .members(["secret": .string(try await client.rotateWebhookSecret(subscriptionID: arguments.text("id")))])
            },
        ]
    }

    private static func types(_ arguments: Arguments) -> [EventType]? {
        arguments["event_types"]?.arrayValue?.compactMap(\.stringValue).map(EventType.init(rawValue:))
    }

    private var deliveries: [Method] {
        [
            call(
                "webhooks.deliveries", "Lists what was sent to a webhook and how it went, newest first.",
                [Self.id, .optional("limit", Schema.integer("at most so many; 50 unless said", 1...10_000))],
                result: Schema.object(
                    ["deliveries": Schema.list(of: Self.deliverySchema, "newest first")], required: ["deliveries"])
            ) { client, arguments in
                let limit = arguments.int("limit") ?? 50
                let list = try client.webhookDeliveries(
                    subscriptionID: arguments.text("id"), pageSize: min(limit, PagedList<WebhookDelivery>.pageSizeMax))
                return .members(["deliveries": try .document(try await list.collect(limit: limit))])
            },
            call("webhooks.delivery", "Shows one delivery.", [Self.delivery], result: Self.deliverySchema) {
                client, arguments in
                try .document(try await client.webhookDelivery(id: arguments.text("id")))
            },
            call(
                "webhooks.replay", "Sends a delivery once more, under the same webhook id.", [Self.delivery],
                result: Self.deliverySchema
            ) { client, arguments in try .document(try await client.replayWebhookDelivery(id: arguments.text("id"))) },
        ]
    }
}

extension MemberChange<String> {
    /// What a parameter asks for: null clears, and one that is not there leaves.
    init(_ value: JSON?) {
        self =
            switch value {
            case nil: .leave
            case .string(let text): .set(text)
            case .some: .clear
            }
    }
}
