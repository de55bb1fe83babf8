package import TunnelDomain
package import TunnelWire

/// Changes where a webhook goes and what it tells.
package struct UpdateWebhook: Sendable {
    package struct Request: Sendable, Hashable {
        package let url: WebhookURL?
        package let filter: EventFilter?
        package let description: FieldChange<String>

        package init(url: WebhookURL?, filter: EventFilter?, description: FieldChange<String>) {
            self.url = url
            self.filter = filter
            self.description = description
        }
    }

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// Deliveries that are pending go to the new URL.
    package func decide(
        _ id: UUIDValue?, _ request: Request, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<WebhookRecord> {
        let old = try call.webhook(id, for: .writeWebhooks, in: store)
        var webhook = old
        if let url = request.url { webhook.url = url.text }
        if let filter = request.filter { webhook.eventTypes = filter.patterns }
        webhook.description = request.description.applied(to: webhook.description)
        guard webhook != old else { return Change(webhook) }
        webhook.changed(at: now)
        try store.update(webhook)
        try AuditTrail(ports: ports).append(
            .webhookUpdate, .webhook, webhook.id.text, by: call, in: store, at: now, details: webhook.auditDetails)
        return Change(webhook)
    }
}

/// Ends a webhook: what is pending is not delivered any more.
package struct DeleteWebhook: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func decide(
        _ id: UUIDValue?, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Void> {
        let webhook = try call.webhook(id, for: .writeWebhooks, in: store)
        try store.deleteWebhook(webhook.id)
        try AuditTrail(ports: ports).append(
            .webhookDelete, .webhook, webhook.id.text, by: call, in: store, at: now, details: webhook.auditDetails)
        return Change(())
    }
}

/// Gives a webhook a new secret, shown once; for a day deliveries are signed with both.
package struct RotateWebhookSecret: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// - Returns: the new secret; the only copy in the open outside the caller's hands is this one.
    package func decide(
        _ id: UUIDValue?, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<String> {
        var webhook = try call.webhook(id, for: .writeWebhooks, in: store)
        let secrets = WebhookSecrets(ports: ports)
        let secret = secrets.make()
        webhook.rotateSecret(
            to: try secrets.seal(secret, of: webhook.id), keepingEarlierFor: WebhookLimits.secretOverlap, at: now)
        try store.update(webhook)
        try AuditTrail(ports: ports).append(.webhookRotateSecret, .webhook, webhook.id.text, by: call, in: store, at: now)
        return Change(secret)
    }
}

/// Delivers an event once more, as a delivery of its own with the same `webhook-id`.
package struct ReplayDelivery: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func decide(
        _ id: UUIDValue?, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<WebhookDelivery> {
        let delivery = try call.delivery(id, for: .writeWebhooks, in: store)
        let replay = delivery.replayed(as: UUIDValue(randomBytes: ports.randomness.bytes(16)), at: now)
        try store.insert(replay)
        try AuditTrail(ports: ports).append(
            .webhookReplay, .webhook, delivery.subscriptionID.text, by: call, in: store, at: now,
            details: [EventDraft.Member("delivery_id", delivery.id.text)])
        return Change(replay)
    }
}
