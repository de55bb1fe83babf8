import TestSupport
import Testing
import TunnelDomain
import TunnelService

@testable import FileStorage

/// What the audit trail can be asked for.
@Suite struct AuditLinesTests {
    private static let other = Sample.organizationID("org_2")

    /// Every combination of a few actors, actions and resources, with moments that repeat and once fall back.
    private func lines(_ count: Int) -> [ChainedAuditEntry] {
        (1...count).map { number in
            let actions: [AuditAction] = [.tunnelCreate, .secretRotate, .tunnelDelete]
            return Sample.audit(
                number, actions[number % 3], actor: "k\(number % 4)", resource: "t\(number % 5)",
                of: number % 7 == 0 ? Self.other : Sample.organizationID,
                at: Int64(number < count / 2 ? number / 3 : number / 3 - 5))
        }
    }

    private static let filters: [AuditFilter] = [nil, "k1", "nobody"].flatMap { actor in
        [nil, AuditAction.secretRotate, .keyCreate].flatMap { action in
            [nil, "t2"].flatMap { resource in
                [(nil, nil), (5, nil), (nil, 20), (5, 20), (20, 5)].map { (since: Int64?, until: Int64?) in
                    AuditFilter(
                        actorID: actor, action: action, resourceID: resource, since: since.map { Sample.now + .seconds($0) },
                        until: until.map { Sample.now + .seconds($0) })
                }
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `each filter lets through what it says, newest first, in pages without gap or repetition`(kind: StoreKind) async throws
    {
        let store = try await kind.make()
        let all = lines(120)
        try await store.write { store in for line in all { try store.append(line) } }
        for filter in Self.filters {
            let expected = all.map(AuditLine.init)
                .filter { $0.organizationID == Sample.organizationID.text && filter.matches($0) }
                .sorted { ($0.occurredAt, $0.sequence) > ($1.occurredAt, $1.sequence) }
            for size in [1, 7, 200] {
                var found: [AuditLine] = []
                var cursor: AuditCursor?
                repeat {
                    let page = try await store.read { [cursor] in
                        try $0.auditLines(of: Sample.organizationID, matching: filter, after: cursor, limit: size)
                    }
                    #expect(page.count <= size)
                    found += page
                    cursor = page.last.map(AuditCursor.init(behind:))
                } while cursor != nil
                #expect(found == expected, "\(filter), \(size)")
            }
        }
    }

    @Test func `a hundred thousand lines change neither the plans nor the answers`() async throws {
        let folder = try TemporaryDirectory()
        let store = try folder.openStore()
        let count = 100_000
        try await store.write { store in
            try store.insert(Sample.organization())
            for number in 1...count {
                try store.append(
                    Sample.audit(
                        number, number % 1000 == 0 ? .certSign : .tunnelUpdate, actor: "k\(number % 100)",
                        resource: "t\(number % 5000)", at: Int64(number)))
            }
        }
        func found(_ filter: AuditFilter) async throws -> [Int64] {
            try await store.read {
                try $0.auditLines(of: Sample.organizationID, matching: filter, after: nil, limit: 3)
            }.map(\.sequence)
        }
        #expect(try await found(AuditFilter()) == [100_000, 99_999, 99_998])
        #expect(try await found(AuditFilter(action: .certSign)) == [100_000, 99_000, 98_000])
        #expect(try await found(AuditFilter(actorID: "k7")) == [99_907, 99_807, 99_707])
        #expect(try await found(AuditFilter(resourceID: "t7")) == [95_007, 90_007, 85_007])
        #expect(try await found(AuditFilter(actorID: "k0", action: .certSign)) == [100_000, 99_000, 98_000])
        #expect(try await found(AuditFilter(until: Sample.now + .seconds(3))) == [2, 1])
        #expect(try await found(AuditFilter(since: Sample.now + .seconds(99_999))) == [100_000, 99_999])
        await store.close()

        // The planner may choose anew when it knows how the rows are spread.
        let connection = try SQLiteConnection(path: folder.storePath, mode: .readWrite)
        try connection.run("ANALYZE")
        for (actor, action, resource) in [
            (false, false, false), (true, false, false), (false, true, false), (true, true, false),
        ] {
            let sql = Query.auditLines(byActor: actor, byAction: action, byResource: resource)
            let values = [SQLValue](repeating: .null, count: sql.count { $0 == "?" })
            let plan = try connection.rows("EXPLAIN QUERY PLAN \(sql)", values) { $0.text(3) }
            #expect(plan.count == 1 && plan[0].hasPrefix("SEARCH"), "\(plan)")
        }
    }
}
