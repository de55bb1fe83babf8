internal import TunnelDomain
internal import TunnelService

// Webhooks in memory.
extension MemoryTransaction: WebhookWriting {
    func webhook(_ id: UUIDValue) throws(StoreError) -> WebhookRecord? { tables.webhooks[id] }

    func webhooks(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [WebhookRecord] {
        let behind = tables.webhooks.values
            .filter { $0.organizationID == organizationID && cursor?.precedes(createdAt: $0.createdAt, id: $0.id) != false }
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return Array(behind.prefix(limit ?? behind.count))
    }

    func webhookCount(of organizationID: OrganizationID) throws(StoreError) -> Int {
        tables.webhooks.values.count { $0.organizationID == organizationID }
    }

    func webhookIDs() throws(StoreError) -> [UUIDValue] { Array(tables.webhooks.keys) }

    func webhooks(dueUpTo moment: Timestamp) throws(StoreError) -> [DeliverySlots.Candidate] {
        let due = Set(tables.deliveries.values.filter { $0.nextAttemptAt.map { $0 <= moment } == true }.map(\.subscriptionID))
        return due.compactMap { tables.webhooks[$0] }.map {
            DeliverySlots.Candidate(subscription: $0.id, organization: $0.organizationID)
        }
    }

    func nextDelivery(after moment: Timestamp) throws(StoreError) -> Timestamp? {
        // As the file does it: a webhook with something overdue is looked at when that is done.
        let next = Dictionary(grouping: tables.deliveries.values.filter(\.isPending), by: \.subscriptionID)
            .values.compactMap { $0.compactMap(\.nextAttemptAt).min() }
        return next.filter { $0 > moment }.min()
    }

    func delivery(_ id: UUIDValue) throws(StoreError) -> WebhookDelivery? { tables.deliveries[id] }

    func deliveries(
        of webhookID: UUIDValue, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [WebhookDelivery] {
        let behind = tables.deliveries.values
            .filter { $0.subscriptionID == webhookID && cursor?.precedes(createdAt: $0.createdAt, id: $0.id) != false }
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return Array(behind.prefix(limit ?? behind.count))
    }

    func deliveries(
        of webhookID: UUIDValue, dueUpTo moment: Timestamp, limit: Int
    ) throws(StoreError) -> [WebhookDelivery] {
        let due = tables.deliveries.values
            .compactMap { delivery in delivery.nextAttemptAt.map { (delivery, $0) } }
            .filter { $0.0.subscriptionID == webhookID && $0.1 <= moment }
            .sorted { ($0.1, $0.0.id) < ($1.1, $1.0.id) }
        return Array(due.map(\.0).prefix(limit))
    }

    func oldestDeliveries(of webhookID: UUIDValue, limit: Int) throws(StoreError) -> [WebhookDelivery] {
        try Array(deliveries(of: webhookID, after: nil, limit: nil).reversed().prefix(limit))
    }

    func pendingDeliveryCount(max: Int) throws(StoreError) -> Int { min(max, tables.deliveries.values.count { $0.isPending }) }

    func deliveryCount(of webhookID: UUIDValue) throws(StoreError) -> Int {
        tables.deliveries.values.count { $0.subscriptionID == webhookID }
    }

    func insert(_ webhook: WebhookRecord) throws(StoreError) {
        guard tables.webhooks[webhook.id] == nil else { throw .constraint("the webhook's id is taken") }
        guard tables.organizations[webhook.organizationID] != nil else { throw .constraint("there is no such organization") }
        tables.webhooks[webhook.id] = webhook
    }

    func update(_ webhook: WebhookRecord) throws(StoreError) {
        if tables.webhooks[webhook.id] != nil { tables.webhooks[webhook.id] = webhook }
    }

    func deleteWebhook(_ id: UUIDValue) throws(StoreError) {
        tables.webhooks[id] = nil
        tables.deliveries = tables.deliveries.filter { $0.value.subscriptionID != id }
    }

    func insert(_ delivery: WebhookDelivery) throws(StoreError) {
        guard tables.deliveries[delivery.id] == nil else { throw .constraint("the delivery's id is taken") }
        guard tables.webhooks[delivery.subscriptionID] != nil else { throw .constraint("there is no such webhook") }
        tables.deliveries[delivery.id] = delivery
    }

    func update(_ delivery: WebhookDelivery) throws(StoreError) {
        if tables.deliveries[delivery.id] != nil { tables.deliveries[delivery.id] = delivery }
    }

    func deleteDelivery(_ id: UUIDValue) throws(StoreError) { tables.deliveries[id] = nil }

    func forgetDeliveries(endedUpTo moment: Timestamp, limit: Int) throws(StoreError) -> Int {
        let ended = tables.deliveries.values
            .filter { $0.endedAt.map { $0 <= moment } == true }
            .sorted { ($0.endedAt ?? moment, $0.id) < ($1.endedAt ?? moment, $1.id) }
            .prefix(limit)
        for delivery in ended { tables.deliveries[delivery.id] = nil }
        return ended.count
    }
}
