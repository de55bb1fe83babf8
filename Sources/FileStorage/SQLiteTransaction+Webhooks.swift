internal import TunnelDomain
internal import TunnelService

extension Query {
    static let webhook = "SELECT \(WebhookRows.columns) FROM webhooks WHERE id = ?"
    static let webhooksOfOrganization = """
        SELECT \(WebhookRows.columns) FROM webhooks WHERE organization_id = ? ORDER BY created_at DESC, id DESC LIMIT ?
        """
    static let webhooksBehind = """
        SELECT \(WebhookRows.columns) FROM webhooks WHERE organization_id = ? AND (created_at, id) < (?, ?) \
        ORDER BY created_at DESC, id DESC LIMIT ?
        """
    static let webhookCount = "SELECT count(*) FROM webhooks WHERE organization_id = ?"
    static let webhookIDs = "SELECT id FROM webhooks"
    static let dueWebhooks = "SELECT id, organization_id FROM webhooks WHERE next_attempt_at <= ?"
    static let nextDelivery = """
        SELECT next_attempt_at FROM webhooks WHERE next_attempt_at > ? ORDER BY next_attempt_at LIMIT 1
        """
    static let delivery = "SELECT \(DeliveryRows.columns) FROM webhook_deliveries WHERE id = ?"
    static let deliveriesOfWebhook = """
        SELECT \(DeliveryRows.columns) FROM webhook_deliveries WHERE webhook_id = ? \
        ORDER BY created_at DESC, id DESC LIMIT ?
        """
    static let deliveriesBehind = """
        SELECT \(DeliveryRows.columns) FROM webhook_deliveries WHERE webhook_id = ? AND (created_at, id) < (?, ?) \
        ORDER BY created_at DESC, id DESC LIMIT ?
        """
    static let dueDeliveries = """
        SELECT \(DeliveryRows.columns) FROM webhook_deliveries \
        WHERE webhook_id = ? AND status = 'pending' AND next_attempt_at <= ? ORDER BY next_attempt_at LIMIT ?
        """
    static let oldestDeliveries = """
        SELECT \(DeliveryRows.columns) FROM webhook_deliveries WHERE webhook_id = ? ORDER BY created_at, id LIMIT ?
        """
    static let deliveryCount = "SELECT count(*) FROM webhook_deliveries WHERE webhook_id = ?"
    static let pendingDeliveryCount = """
        SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries WHERE status = 'pending' LIMIT ?)
        """
    static let endedDeliveries = "SELECT id FROM webhook_deliveries WHERE ended_at <= ? ORDER BY ended_at LIMIT ?"
}

extension Change {
    static let insertWebhook = "INSERT INTO webhooks (\(WebhookRows.columns)) VALUES (\(placeholders(12)))"
    static let updateWebhook = "UPDATE webhooks SET (\(WebhookRows.columns)) = (\(placeholders(12))) WHERE id = ?"
    static let deleteDeliveriesOfWebhook = "DELETE FROM webhook_deliveries WHERE webhook_id = ?"
    static let deleteWebhook = "DELETE FROM webhooks WHERE id = ?"
    static let insertDelivery = "INSERT INTO webhook_deliveries (\(DeliveryRows.columns)) VALUES (\(placeholders(17)))"
    static let updateDelivery = """
        UPDATE webhook_deliveries SET (\(DeliveryRows.columns)) = (\(placeholders(17))) WHERE id = ?
        """
    static let deleteDelivery = "DELETE FROM webhook_deliveries WHERE id = ?"
    static let setNextAttempt = """
        UPDATE webhooks SET next_attempt_at = (SELECT next_attempt_at FROM webhook_deliveries \
        WHERE webhook_id = ? AND status = 'pending' ORDER BY next_attempt_at LIMIT 1) WHERE id = ?
        """
}

extension SQLiteTransaction: WebhookWriting {
    func webhook(_ id: UUIDValue) throws(StoreError) -> WebhookRecord? {
        try row(Query.webhook, [.text(id.text)], WebhookRows.read)
    }

    func webhooks(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [WebhookRecord] {
        let sql = cursor == nil ? Query.webhooksOfOrganization : Query.webhooksBehind
        return try rows(sql, place(organizationID.text, cursor, limit), WebhookRows.read)
    }

    func webhookCount(of organizationID: OrganizationID) throws(StoreError) -> Int {
        try row(Query.webhookCount, [.text(organizationID.text)]) { Int($0.integer(0)) } ?? 0
    }

    func webhookIDs() throws(StoreError) -> [UUIDValue] {
        try rows(Query.webhookIDs, []) { row throws(SQLiteFailure) in try Self.id(row, 0) }
    }

    func webhooks(dueUpTo moment: Timestamp) throws(StoreError) -> [DeliverySlots.Candidate] {
        try rows(Query.dueWebhooks, [SQLValue(moment)]) { row throws(SQLiteFailure) in
            DeliverySlots.Candidate(
                subscription: try Self.id(row, 0),
                organization: try readable(OrganizationID(row.text(1)), "webhooks", "organization_id"))
        }
    }

    func nextDelivery(after moment: Timestamp) throws(StoreError) -> Timestamp? {
        try row(Query.nextDelivery, [SQLValue(moment)]) { $0.time(0) }
    }

    func delivery(_ id: UUIDValue) throws(StoreError) -> WebhookDelivery? {
        try row(Query.delivery, [.text(id.text)], DeliveryRows.read)
    }

    func deliveries(
        of webhookID: UUIDValue, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [WebhookDelivery] {
        let sql = cursor == nil ? Query.deliveriesOfWebhook : Query.deliveriesBehind
        return try rows(sql, place(webhookID.text, cursor, limit), DeliveryRows.read)
    }

    func deliveries(
        of webhookID: UUIDValue, dueUpTo moment: Timestamp, limit: Int
    ) throws(StoreError) -> [WebhookDelivery] {
        try rows(Query.dueDeliveries, [.text(webhookID.text), SQLValue(moment), SQLValue(limit)], DeliveryRows.read)
    }

    func oldestDeliveries(of webhookID: UUIDValue, limit: Int) throws(StoreError) -> [WebhookDelivery] {
        try rows(Query.oldestDeliveries, [.text(webhookID.text), SQLValue(limit)], DeliveryRows.read)
    }

    func pendingDeliveryCount(max: Int) throws(StoreError) -> Int {
        try row(Query.pendingDeliveryCount, [.integer(Int64(max))]) { Int($0.integer(0)) } ?? 0
    }

    func deliveryCount(of webhookID: UUIDValue) throws(StoreError) -> Int {
        try row(Query.deliveryCount, [.text(webhookID.text)]) { Int($0.integer(0)) } ?? 0
    }

    private static func id(_ row: SQLRow, _ column: Int32) throws(SQLiteFailure) -> UUIDValue {
        try readable(UUIDValue(row.text(column)), "webhooks", "id")
    }

    private func place(_ owner: String, _ cursor: ListCursor?, _ limit: Int?) -> [SQLValue] {
        let place = cursor.map { [SQLValue($0.createdAt), .text($0.id.text)] } ?? []
        // To SQLite a negative limit is none.
        return [.text(owner)] + place + [.integer(limit.map { Int64($0) } ?? -1)]
    }
}

extension SQLiteTransaction {
    func insert(_ webhook: WebhookRecord) throws(StoreError) {
        try change(Change.insertWebhook, WebhookRows.values(webhook))
    }

    func update(_ webhook: WebhookRecord) throws(StoreError) {
        try change(Change.updateWebhook, WebhookRows.values(webhook) + [.text(webhook.id.text)])
    }

    func deleteWebhook(_ id: UUIDValue) throws(StoreError) {
        try change(Change.deleteDeliveriesOfWebhook, [.text(id.text)])
        try change(Change.deleteWebhook, [.text(id.text)])
    }

    func insert(_ delivery: WebhookDelivery) throws(StoreError) {
        try change(Change.insertDelivery, DeliveryRows.values(delivery))
        try setNextAttempt(of: delivery.subscriptionID)
    }

    func update(_ delivery: WebhookDelivery) throws(StoreError) {
        try change(Change.updateDelivery, DeliveryRows.values(delivery) + [.text(delivery.id.text)])
        try setNextAttempt(of: delivery.subscriptionID)
    }

    func deleteDelivery(_ id: UUIDValue) throws(StoreError) {
        guard let delivery = try delivery(id) else { return }
        try change(Change.deleteDelivery, [.text(id.text)])
        if delivery.isPending { try setNextAttempt(of: delivery.subscriptionID) }
    }

    func forgetDeliveries(endedUpTo moment: Timestamp, limit: Int) throws(StoreError) -> Int {
        let ended = try rows(Query.endedDeliveries, [SQLValue(moment), SQLValue(limit)]) { $0.text(0) }
        for id in ended { try change(Change.deleteDelivery, [.text(id)]) }
        return ended.count
    }

    private func setNextAttempt(of webhookID: UUIDValue) throws(StoreError) {
        try change(Change.setNextAttempt, [.text(webhookID.text), .text(webhookID.text)])
    }
}
