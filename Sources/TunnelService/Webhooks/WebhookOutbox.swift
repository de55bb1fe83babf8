internal import TunnelDomain

/// Makes the deliveries of an event, in the transaction of the event: neither is ever there without the other.
struct WebhookOutbox {
    let ports: ServicePorts

    func add(_ event: EventRecord, _ draft: EventDraft, in store: any StoreWriting, at now: Timestamp) throws(StoreError) {
        let webhooks = try store.webhooks(of: event.organizationID, after: nil, limit: nil)
        for webhook in webhooks where webhook.wants(draft) {
            try store.insert(
                WebhookDelivery(
                    id: UUIDValue(randomBytes: ports.randomness.bytes(16)), subscriptionID: webhook.id,
                    organizationID: event.organizationID, eventID: event.id, eventType: event.type,
                    identityID: event.identityID, body: event.documentJSON, createdAt: now, state: .pending(next: now)))
        }
    }
}
