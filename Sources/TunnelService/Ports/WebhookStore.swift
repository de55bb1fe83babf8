package import TunnelDomain

/// What can be asked about webhooks.
package protocol WebhookReading {
    func webhook(_ id: UUIDValue) throws(StoreError) -> WebhookRecord?

    /// The organization's webhooks, newest first (by creation, then by id, both falling), behind the cursor and at most `limit`
    /// of them; nil for all.
    func webhooks(of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?) throws(StoreError)
        -> [WebhookRecord]

    func webhookCount(of organizationID: OrganizationID) throws(StoreError) -> Int

    /// Every webhook of every organization, in no order.
    func webhookIDs() throws(StoreError) -> [UUIDValue]

    /// The webhooks that have a delivery which is due by the moment.
    func webhooks(dueUpTo moment: Timestamp) throws(StoreError) -> [DeliverySlots.Candidate]

    /// When the next delivery is due after the moment; nil when none is.
    func nextDelivery(after moment: Timestamp) throws(StoreError) -> Timestamp?

    func delivery(_ id: UUIDValue) throws(StoreError) -> WebhookDelivery?

    /// The webhook's deliveries, newest first, behind the cursor and at most `limit` of them; nil for all.
    func deliveries(of webhookID: UUIDValue, after cursor: ListCursor?, limit: Int?) throws(StoreError) -> [WebhookDelivery]

    /// The webhook's deliveries that are due by the moment, the longest due first, at most `limit` of them.
    func deliveries(of webhookID: UUIDValue, dueUpTo moment: Timestamp, limit: Int) throws(StoreError) -> [WebhookDelivery]

    /// The webhook's oldest deliveries, at most `limit` of them.
    func oldestDeliveries(of webhookID: UUIDValue, limit: Int) throws(StoreError) -> [WebhookDelivery]

    func deliveryCount(of webhookID: UUIDValue) throws(StoreError) -> Int

    /// The deliveries of all webhooks that wait for an attempt; `max` stands for as many or more.
    func pendingDeliveryCount(max: Int) throws(StoreError) -> Int
}

/// What can be changed about webhooks.
package protocol WebhookWriting: WebhookReading {
    /// Adds a webhook; its id must be new.
    func insert(_ webhook: WebhookRecord) throws(StoreError)

    /// Replaces the webhook with this id.
    func update(_ webhook: WebhookRecord) throws(StoreError)

    /// Forgets the webhook and all its deliveries.
    func deleteWebhook(_ id: UUIDValue) throws(StoreError)

    /// Adds a delivery of a webhook that there is.
    func insert(_ delivery: WebhookDelivery) throws(StoreError)

    /// Replaces the delivery with this id.
    func update(_ delivery: WebhookDelivery) throws(StoreError)

    func deleteDelivery(_ id: UUIDValue) throws(StoreError)

    /// Forgets deliveries that ended at or before the moment, at most `limit` of them, and says how many there were.
    func forgetDeliveries(endedUpTo moment: Timestamp, limit: Int) throws(StoreError) -> Int
}
