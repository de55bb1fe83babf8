/// Events delivered as webhooks (control plane §7).
extension CulvertClient {
    /// Subscribes a URL to events.
    ///
    /// - Parameters:
    ///   - url: where deliveries are POSTed to, `https`.
    ///   - eventTypes: at least one.
    ///   - description: for your own use.
    ///   - identityID: the id of the identity whose events are delivered; nil for the whole organization.
    /// - Returns: the subscription and the secret that its deliveries are signed with, shown this once.
    /// - Throws: 403; 422 the URL or a type breaks a rule.
    public func createWebhookSubscription(
        url: String, eventTypes: [EventType], description: String? = nil, identityID: String? = nil
    ) async throws(ClientError) -> CreatedWebhookSubscription {
        let new = NewSubscription(
            url: url, eventTypes: eventTypes, description: description, agentIdentityID: identityID)
        return try await answer(CreatedWebhookSubscription.self, to: creation(Self.subscriptions, body: encode(new)))
    }

    /// Every subscription, newest first.
    public func webhookSubscriptions() async throws(ClientError) -> [WebhookSubscription] {
        try await list(SubscriptionList.self, at: Self.subscriptions).collect()
    }

    /// One subscription.
    ///
    /// - Throws: 404.
    public func webhookSubscription(id: String) async throws(ClientError) -> WebhookSubscription {
        try await answer(WebhookSubscription.self, to: .get(Self.path(id)))
    }

    /// Changes what may change.
    ///
    /// - Throws: 403; 404; 422 the URL or a type breaks a rule.
    public func updateWebhookSubscription(
        id: String, _ change: WebhookChange
    ) async throws(ClientError) -> WebhookSubscription {
        try await answer(WebhookSubscription.self, to: Call(method: "PATCH", path: Self.path(id), body: encode(change)))
    }

    /// Ends a subscription: nothing is delivered to it any more.
    ///
    /// - Throws: 403; 404.
    public func deleteWebhookSubscription(id: String) async throws(ClientError) {
        try await acknowledgement(of: Call(method: "DELETE", path: Self.path(id)))
    }

    /// Replaces the secret that a subscription's deliveries are signed with.
    ///
    /// - Returns: the new secret, shown this once.
    /// - Throws: 403; 404.
    public func rotateWebhookSecret(subscriptionID: String) async throws(ClientError) -> String {
        try await answer(NewWebhookSecret.self, to: creation(Self.path(subscriptionID) + "/rotate-secret")).secret
    }

    /// The delivery log of a subscription, newest first.
    ///
    /// - Parameter pageSize: deliveries of one request, 1...200.
    /// - Throws: from its iterator: 403; 404.
    public func webhookDeliveries(
        subscriptionID: String, pageSize: Int = PagedList<WebhookDelivery>.pageSizeMax
    ) -> PagedList<WebhookDelivery> {
        precondition((1...PagedList<WebhookDelivery>.pageSizeMax).contains(pageSize), "a page has 1 to 200 deliveries")
        return list(DeliveryList.self, at: Self.path(subscriptionID) + "/deliveries", pageSize: pageSize)
    }

    /// One delivery.
    ///
    /// - Throws: 403; 404.
    public func webhookDelivery(id: String) async throws(ClientError) -> WebhookDelivery {
        try await answer(WebhookDelivery.self, to: .get("\(Self.deliveries)/\(PercentEncoding.encode(id))"))
    }

    /// Delivers an event once more, to its subscription's present URL.
    ///
    /// - Returns: the delivery that this brought about; it is on its way.
    /// - Throws: 403; 404; 409 the subscription does not take it any more.
    public func replayWebhookDelivery(id: String) async throws(ClientError) -> WebhookDelivery {
        try await answer(
            WebhookDelivery.self, to: creation("\(Self.deliveries)/\(PercentEncoding.encode(id))/replay"))
    }

    private static let subscriptions = "/api/v1/webhooks/subscriptions"
    private static let deliveries = "/api/v1/webhooks/deliveries"

    private static func path(_ id: String) -> String { "\(subscriptions)/\(PercentEncoding.encode(id))" }
}

private struct NewSubscription: Encodable {
    var url: String
    var eventTypes: [EventType]
    var description: String?
    var agentIdentityID: String?

    private enum CodingKeys: String, CodingKey {
        case url, description
        case eventTypes = "event_types"
        case agentIdentityID = "agent_identity_id"
    }
}

private struct NewWebhookSecret: Decodable {
    var secret: String
}

private struct SubscriptionList: ListDocument {
    var subscriptions: [WebhookSubscription]
    var nextCursor: String?

    var items: [WebhookSubscription] { subscriptions }

    private enum CodingKeys: String, CodingKey {
        case subscriptions
        case nextCursor = "next_cursor"
    }
}

private struct DeliveryList: ListDocument {
    var deliveries: [WebhookDelivery]
    var nextCursor: String?

    var items: [WebhookDelivery] { deliveries }

    private enum CodingKeys: String, CodingKey {
        case deliveries
        case nextCursor = "next_cursor"
    }
}
