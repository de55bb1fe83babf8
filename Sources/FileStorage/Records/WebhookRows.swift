internal import TunnelDomain
internal import TunnelService

/// Webhooks as rows, without what the store keeps for itself.
enum WebhookRows {
    /// In the order of `read` and `values`.
    static let columns = """
        id, organization_id, identity_id, url, event_types, description, sealed_secret, earlier_sealed_secret, \
        earlier_secret_valid_until, failing_since, created_at, updated_at
        """

    static func read(_ row: SQLRow) throws(SQLiteFailure) -> WebhookRecord {
        let earlier = row.blobOrNil(7).map { WebhookRecord.EarlierSecret(sealed: $0, validUntil: row.time(8)) }
        return WebhookRecord(
            id: try readable(UUIDValue(row.text(0)), "webhooks", "id"),
            organizationID: try readable(OrganizationID(row.text(1)), "webhooks", "organization_id"),
            identityID: row.isNull(2) ? nil : try readable(IdentityID(row.text(2)), "webhooks", "identity_id"),
            url: row.text(3), eventTypes: row.text(4).split(separator: " ").map(String.init), description: row.textOrNil(5),
            sealedSecret: row.blob(6), earlierSecret: earlier, failingSince: row.timeOrNil(9), createdAt: row.time(10),
            updatedAt: row.time(11))
    }

    static func values(_ webhook: WebhookRecord) -> [SQLValue] {
        [
            .text(webhook.id.text), .text(webhook.organizationID.text), SQLValue(webhook.identityID?.text),
            .text(webhook.url), .text(webhook.eventTypes.joined(separator: " ")), SQLValue(webhook.description),
            .blob(webhook.sealedSecret), SQLValue(webhook.earlierSecret?.sealed),
            SQLValue(webhook.earlierSecret?.validUntil), SQLValue(webhook.failingSince), SQLValue(webhook.createdAt),
            SQLValue(webhook.updatedAt),
        ]
    }
}

/// Deliveries as rows.
enum DeliveryRows {
    /// In the order of `read` and `values`.
    static let columns = """
        id, webhook_id, organization_id, event_id, event_type, identity_id, body, replay_of, created_at, status, \
        next_attempt_at, ended_at, attempt_count, last_attempt_at, last_status, last_error, last_milliseconds
        """

    static func read(_ row: SQLRow) throws(SQLiteFailure) -> WebhookDelivery {
        let lastAttempt = row.timeOrNil(13).map {
            WebhookDelivery.Attempt(
                at: $0, status: row.integerOrNil(14).map { Int($0) }, error: row.textOrNil(15),
                milliseconds: Int(row.integer(16)))
        }
        return WebhookDelivery(
            id: try readable(UUIDValue(row.text(0)), "webhook_deliveries", "id"),
            subscriptionID: try readable(UUIDValue(row.text(1)), "webhook_deliveries", "webhook_id"),
            organizationID: try readable(OrganizationID(row.text(2)), "webhook_deliveries", "organization_id"),
            eventID: try readable(UUIDValue(row.text(3)), "webhook_deliveries", "event_id"),
            eventType: try readable(EventType(rawValue: row.text(4)), "webhook_deliveries", "event_type"),
            identityID: row.isNull(5) ? nil : try readable(IdentityID(row.text(5)), "webhook_deliveries", "identity_id"),
            body: row.text(6),
            replayOf: row.isNull(7) ? nil : try readable(UUIDValue(row.text(7)), "webhook_deliveries", "replay_of"),
            createdAt: row.time(8), state: try state(row), attemptCount: Int(row.integer(12)), lastAttempt: lastAttempt)
    }

    private static func state(_ row: SQLRow) throws(SQLiteFailure) -> WebhookDelivery.State {
        switch row.text(9) {
        case "pending": .pending(next: row.time(10))
        case "delivered": .delivered(at: row.time(11))
        case "exhausted": .exhausted(at: row.time(11))
        default: throw .badRow("webhook_deliveries", "status")
        }
    }

    static func values(_ delivery: WebhookDelivery) -> [SQLValue] {
        [
            .text(delivery.id.text), .text(delivery.subscriptionID.text), .text(delivery.organizationID.text),
            .text(delivery.eventID.text), .text(delivery.eventType.rawValue), SQLValue(delivery.identityID?.text),
            .text(delivery.body), SQLValue(delivery.replayOf?.text), SQLValue(delivery.createdAt),
            .text(delivery.state.name), SQLValue(delivery.nextAttemptAt), SQLValue(delivery.endedAt),
            SQLValue(delivery.attemptCount),
            SQLValue(delivery.lastAttempt?.at), SQLValue(delivery.lastAttempt?.status), SQLValue(delivery.lastAttempt?.error),
            SQLValue(delivery.lastAttempt?.milliseconds),
        ]
    }
}
