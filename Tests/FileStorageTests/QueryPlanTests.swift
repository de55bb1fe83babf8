import Testing

@testable import FileStorage

@Suite struct QueryPlanTests {
    let folder: TemporaryDirectory
    let connection: SQLiteConnection

    init() async throws {
        folder = try TemporaryDirectory()
        await (try folder.openStore()).close()
        connection = try SQLiteConnection(path: folder.storePath, mode: .readWrite)
    }

    private func plan(_ sql: String) throws -> [String] {
        let count = sql.count { $0 == "?" }
        let values = [SQLValue](repeating: .null, count: count)
        return try connection.rows("EXPLAIN QUERY PLAN \(sql)", values) { $0.text(3) }
    }

    @Test(arguments: [
        Query.tunnel, Query.tunnelByName, Query.tunnelsOfOrganization, Query.tunnelsBehind, Query.tunnelsByDeadline,
        Query.tunnelOfIdentity, Query.identity, Query.identityByHandle, Query.identitiesOfOrganization,
        Query.identitiesBehind, Query.apiKey, Query.apiKeysOfOrganization, Query.apiKeysBehind,
        Query.openAPIKeysOfIdentity, Query.openAPIKeysByExpiry, Change.updateIdentity, Change.updateAPIKey,
        Query.organization, Query.apiKeyByHash, Query.successCount, Query.successTime, Query.replay,
        Query.auditHead, Query.auditLinesInOrder, Query.app, Query.appsOfOrganization, Query.appsBehind, Query.appCount,
        Change.updateApp, Change.touchApp, Change.deleteApp, Change.updateTunnel, Change.touchAPIKey, Change.forgetSuccesses,
        Change.forgetReplays, Query.events, Query.lastEvent, Query.forgottenEvents, Query.eventCount, Query.expiryWatches,
        Change.forgetEvents, Change.endExpiryWatch,
        Query.webhook, Query.webhooksOfOrganization, Query.webhooksBehind, Query.webhookCount, Query.dueWebhooks,
        Query.nextDelivery, Query.delivery, Query.deliveriesOfWebhook, Query.deliveriesBehind, Query.dueDeliveries,
        Query.oldestDeliveries, Query.deliveryCount, Query.endedDeliveries, Change.updateWebhook,
        Change.deleteDeliveriesOfWebhook, Change.deleteWebhook, Change.updateDelivery, Change.deleteDelivery,
    ])
    func `no lookup and no page reads or sorts a whole table`(sql: String) throws {
        let steps = try plan(sql)
        #expect(!steps.isEmpty)
        for step in steps { #expect(step.hasPrefix("SEARCH"), "\(sql): \(step)") }
    }

    @Test func `the newest audit entry is found at the end of its table`() throws {
        // A walk along the primary key that stops at once.
        #expect(try plan(Query.lastAuditPlace) == ["SCAN audit_entries"])
        #expect(Query.lastAuditPlace.hasSuffix("ORDER BY sequence DESC LIMIT 1"))
    }

    @Test(arguments: [false, true], [(false, false), (false, true), (true, false), (true, true)])
    func `every question to the audit trail is answered in the order of an index`(
        byResource: Bool, others: (byActor: Bool, byAction: Bool)
    ) throws {
        let sql = Query.auditLines(byActor: others.byActor, byAction: others.byAction, byResource: byResource)
        let steps = try plan(sql)
        #expect(steps.count == 1, "\(steps)")
        let step = try #require(steps.first)
        #expect(step.hasPrefix("SEARCH audit_entries USING INDEX audit_entries_by_"), "\(step)")
        // The time is the last column that is looked up: what comes behind is read in order and stops at the limit.
        #expect(step.contains("occurred_at>? AND occurred_at<?"), "\(step)")
        #expect(step.contains("resource_id=?") == byResource)
        if !byResource {
            #expect(step.contains("actor_id=?") == others.byActor)
            #expect(step.contains("action=?") == others.byAction)
        }
    }

    @Test func `all living tunnels are read without the deleted ones`() throws {
        #expect(try plan(Query.livingTunnels) == ["SCAN tunnels USING INDEX living_tunnels_by_name"])
    }

    @Test func `pending deliveries are counted along their own index, up to a bound`() throws {
        let steps = try plan(Query.pendingDeliveryCount)
        #expect(steps.contains { $0.contains("webhook_deliveries USING INDEX pending_deliveries_of_webhook") })
        #expect(Query.pendingDeliveryCount.hasSuffix("LIMIT ?)"))
    }

    @Test func `a statement that sorts or scans would be seen`() throws {
        let bad = "SELECT id FROM tunnels WHERE description = ? ORDER BY updated_at"
        #expect(try plan(bad).contains { !$0.hasPrefix("SEARCH") })
    }
}
