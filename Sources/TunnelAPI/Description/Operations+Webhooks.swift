internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

extension APIOperation {
    private static let base = "/api/v1/webhooks/subscriptions"

    /// Control plane, section 7.
    static let webhooks: [APIOperation] = [
        APIOperation(
            "POST", base, "createWebhook", .webhooks, "Subscribe a URL to events",
            "Deliveries are signed as standardwebhooks.com has it; the secret is shown this once.",
            access: .permitted(.writeWebhooks), isKeyed: true, body: .ref(.webhookCreation),
            answers: [
                DescribedAnswer(201, "The subscription was made.", .ref(.createdWebhook)),
                .problem(404, "There is no such identity."),
                .problem(409, "The organization has as many as it may."),
            ]),
        APIOperation(
            "GET", base, "listWebhooks", .webhooks, "List subscriptions", "Newest first.",
            access: .permitted(.readWebhooks),
            parameters: APIParameter.page + [
                APIParameter("agent_identity_id", .uuid, "Only those of this identity."),
                APIParameter("url", .string, "Only those with exactly this URL."),
                APIParameter("event_type", .string, "Only those that name exactly this."),
            ],
            answers: [
                DescribedAnswer(200, "The subscriptions.", .ref(.webhookList)),
                .problem(422, "A part of the query is not right."),
            ]),
        APIOperation(
            "GET", base + "/{id}", "getWebhook", .webhooks, "Get a subscription", access: .permitted(.readWebhooks),
            answers: [.webhook]),
        APIOperation(
            "PATCH", base + "/{id}", "updateWebhook", .webhooks, "Change a subscription",
            "What is pending goes to the new URL.", access: .permitted(.writeWebhooks), body: .ref(.webhookChange),
            answers: [.webhook]),
        APIOperation(
            "DELETE", base + "/{id}", "deleteWebhook", .webhooks, "Delete a subscription",
            "What is pending is not delivered, and the log of its deliveries is gone.",
            access: .permitted(.writeWebhooks), answers: [DescribedAnswer(204, "It is gone.", nil)]),
        APIOperation(
            "POST", base + "/{id}/rotate-secret", "rotateWebhookSecret", .webhooks, "Rotate the signing secret",
            "For 24 hours deliveries are signed with both secrets.", access: .permitted(.writeWebhooks), isKeyed: true,
            answers: [DescribedAnswer(200, "The new secret.", .ref(.webhookSecret))]),
        APIOperation(
            "GET", base + "/{id}/deliveries", "listDeliveries", .webhooks, "List a subscription's deliveries",
            "Newest first.", access: .permitted(.readWebhooks), parameters: APIParameter.page,
            answers: [
                DescribedAnswer(200, "The deliveries.", .ref(.deliveryList)),
                .problem(422, "`limit` or `cursor` is not right."),
            ]),
        APIOperation(
            "GET", "/api/v1/webhooks/deliveries/{id}", "getDelivery", .webhooks, "Get a delivery",
            access: .permitted(.readWebhooks), answers: [DescribedAnswer(200, "The delivery.", .ref(.delivery))]),
        APIOperation(
            "POST", "/api/v1/webhooks/deliveries/{id}/replay", "replayDelivery", .webhooks, "Deliver an event once more",
            "As a delivery of its own, with the same `webhook-id` and body.", access: .permitted(.writeWebhooks),
            isKeyed: true, answers: [DescribedAnswer(202, "The new delivery.", .ref(.delivery))]),
    ]
}

extension DescribedAnswer {
    fileprivate static let webhook = DescribedAnswer(200, "The subscription as it is now.", .ref(.webhook))
}

// MARK: - Objects

extension NamedSchema {
    private static let webhookProperties = [
        SchemaProperty("id", .uuid, "Unique identifier."),
        SchemaProperty("organization_id", .organizationID, "The owning organization."),
        SchemaProperty("agent_identity_id", .uuid.orNull, "Only this identity's events are delivered; null for all."),
        SchemaProperty("owner_identity_id", .uuid.orNull, "The same."),
        SchemaProperty("mailbox_id", .null, "Not offered here."),
        SchemaProperty("phone_number_id", .null, "Not offered here."),
        SchemaProperty("url", .uri, "Where deliveries go."),
        SchemaProperty("event_types", .array(of: .string.example("tunnel.*")), "Types, all of a noun, or `*`."),
        SchemaProperty("description", .string.orNull, "Free text."),
        SchemaProperty("status", .oneOf(["active"])),
        SchemaProperty("failing_since", .time.orNull, "Since when every attempt has failed; null when the last succeeded."),
        SchemaProperty("created_at", .time),
        SchemaProperty("updated_at", .time),
    ]

    fileprivate static let webhook = NamedSchema(
        "WebhookSubscription", "A URL that is called when something happens.", webhookProperties)

    fileprivate static let createdWebhook = NamedSchema(
        "CreatedWebhookSubscription", "A new subscription and its secret, which is shown this once.",
        webhookProperties + [
            SchemaProperty("secret", .webhookSecret),
            SchemaProperty("signing_key", .null, "An identity's signing key is made by its own call."),
        ])

    fileprivate static let webhookList = NamedSchema(
        "WebhookSubscriptionList", "Subscriptions, newest first.",
        [SchemaProperty("subscriptions", .array(of: .ref(.webhook))), .nextCursor])

    fileprivate static let webhookSecret = NamedSchema(
        "WebhookSecret", "A new secret, which is shown this once.", [SchemaProperty("secret", .webhookSecret)])

    fileprivate static let delivery = NamedSchema(
        "WebhookDelivery", "One event on its way to one URL.",
        [
            SchemaProperty("id", .uuid, "Unique identifier."),
            SchemaProperty("subscription_id", .uuid),
            SchemaProperty("webhook_id", .uuid, "What receivers know the event by: its id, and the field `webhook-id`."),
            SchemaProperty("event_type", .oneOf(EventType.allCases.map(\.rawValue))),
            SchemaProperty("status", .oneOf(["pending", "delivered", "exhausted"])),
            SchemaProperty("attempt_count", .integer(0...Int(Int32.max))),
            SchemaProperty("next_attempt_at", .time.orNull, "When it is tried next; null when it has ended."),
            SchemaProperty("last_attempt_at", .time.orNull),
            SchemaProperty("last_status", .integer(100...999).orNull, "What the receiver answered; null when it did not."),
            SchemaProperty("last_error", .string.orNull, "Why the last attempt failed; null when it succeeded."),
            SchemaProperty("last_milliseconds", .integer(0...Int(Int32.max)).orNull, "How long it took."),
            SchemaProperty("replay_of", .uuid.orNull, "The delivery that this one repeats."),
            SchemaProperty("created_at", .time),
            SchemaProperty("ended_at", .time.orNull, "When it was delivered or given up."),
        ])

    fileprivate static let deliveryList = NamedSchema(
        "WebhookDeliveryList", "Deliveries, newest first.",
        [SchemaProperty("deliveries", .array(of: .ref(.delivery))), .nextCursor])

    fileprivate static let webhookCreation = NamedSchema(
        "WebhookCreation", "Where to deliver what.",
        [
            SchemaProperty("url", .webhookURL, "An `https` URL on the public internet, unless the operator allows others."),
            SchemaProperty("event_types", .eventPatterns),
            .optional("description", .webhookDescription.orNull, "Free text."),
            .optional("agent_identity_id", .uuid.orNull, "Only events of this identity."),
            .optional("identity", .name.orNull, "The same, by its handle."),
        ])

    fileprivate static let webhookChange = NamedSchema(
        "WebhookChange", "What is to change; members that are missing stay as they are.",
        [
            .optional("url", .webhookURL),
            .optional("event_types", .eventPatterns),
            .optional("description", .webhookDescription.orNull, "`null` clears it."),
        ])
}

extension JSONSchema {
    fileprivate static let webhookSecret = string(pattern: "^whsec_[A-Za-z0-9+/]{43}=$")
    fileprivate static let webhookURL = uri.with("maxLength", .integer(WebhookURL.characterCountMax))
        .example("https://example.com/hooks")
    fileprivate static let webhookDescription = string(max: WebhookLimits.descriptionScalarCountMax)
    fileprivate static let eventPatterns = array(of: string.example("tunnel.*"))
        .with("minItems", .integer(1)).with("maxItems", .integer(EventFilter.patternCountMax))
}
