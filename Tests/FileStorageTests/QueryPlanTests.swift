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
        Query.organization, Query.apiKeyByHash, Query.successCount, Query.successTime, Query.replay,
        Change.updateTunnel, Change.touchAPIKey, Change.forgetSuccesses, Change.forgetReplays,
    ])
    func `no lookup and no page reads or sorts a whole table`(sql: String) throws {
        let steps = try plan(sql)
        #expect(!steps.isEmpty)
        for step in steps { #expect(step.hasPrefix("SEARCH"), "\(sql): \(step)") }
    }

    @Test func `the newest audit entry is found at the end of its table`() throws {
        // A walk along the primary key that stops at once.
        #expect(try plan(Query.lastAuditHash) == ["SCAN audit_entries"])
        #expect(Query.lastAuditHash.hasSuffix("ORDER BY sequence DESC LIMIT 1"))
    }

    @Test func `all living tunnels are read without the deleted ones`() throws {
        #expect(try plan(Query.livingTunnels) == ["SCAN tunnels USING INDEX living_tunnels_by_name"])
    }

    @Test func `a statement that sorts or scans would be seen`() throws {
        let bad = "SELECT id FROM tunnels WHERE description = ? ORDER BY updated_at"
        #expect(try plan(bad).contains { !$0.hasPrefix("SEARCH") })
    }
}
