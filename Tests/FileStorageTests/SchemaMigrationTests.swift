import Foundation
import Testing
import TunnelDomain
import TunnelService

@testable import FileStorage

@Suite struct SchemaMigrationTests {
    let folder: TemporaryDirectory
    let connection: SQLiteConnection

    init() throws {
        folder = try TemporaryDirectory()
        let directory = try DataDirectory.make(at: folder.path)
        try directory.touch(SQLiteStore.fileName)
        connection = try SQLiteConnection(path: folder.storePath, mode: .readWrite)
    }

    private let steps = ["CREATE TABLE a (x);", "INSERT INTO a VALUES (1);", "INSERT INTO a VALUES (2);"]

    private func contents() throws -> [Int64] { try connection.rows("SELECT x FROM a ORDER BY x") { $0.integer(0) } }

    @Test(arguments: 1...Schema.version)
    func `a released schema never changes`(version: Int) throws {
        try SchemaMigration(steps: Array(Schema.steps.prefix(version))).run(on: connection)
        let statements = try connection.rows(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ) { $0.text(0) + ";\n" }
        // .../Tests/FileStorageTests/SchemaMigrationTests.swift
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let released = try String(contentsOf: root.appending(path: "Fixtures/Store/schema-\(version).sql"), encoding: .utf8)
        #expect(statements.joined() == released, "add a step instead of changing one that files have already taken")
    }

    @Test func `missing steps are taken, each once`() throws {
        for known in [1, 2, 2, 3, 3] {
            let migration = SchemaMigration(steps: Array(steps.prefix(known)))
            try migration.run(on: connection)
            #expect(try migration.version(of: connection) == known)
            #expect(try contents() == Array([1, 2].prefix(known - 1)))
        }
    }

    @Test func `a step that fails leaves the version before it, whole`() throws {
        let broken = SchemaMigration(
            steps: Array(steps.prefix(2)) + ["INSERT INTO a VALUES (3); INSERT INTO nowhere VALUES (1);"])
        #expect(throws: SQLiteFailure.self) { try broken.run(on: connection) }
        if connection.isInTransaction { try connection.run("ROLLBACK") }
        #expect(try broken.version(of: connection) == 2)
        #expect(try contents() == [1])
        try SchemaMigration(steps: steps).run(on: connection)
        #expect(try contents() == [1, 2])
    }

    @Test func `a later version is refused`() throws {
        try SchemaMigration(steps: steps).run(on: connection)
        #expect(throws: SchemaMigration.NewerSchema(found: 3, known: 2)) {
            try SchemaMigration(steps: Array(steps.prefix(2))).run(on: connection)
        }
    }
}

/// A store that an earlier version has filled.
@Suite struct EarlierStoreTests {
    @Test func `keys of before there were narrow ones are not narrowed`() async throws {
        let folder = try TemporaryDirectory()
        let directory = try DataDirectory.make(at: folder.path)
        try directory.touch(SQLiteStore.fileName)
        let connection = try SQLiteConnection(path: folder.storePath, mode: .readWrite)
        try SchemaMigration(steps: Array(Schema.steps.prefix(2))).run(on: connection)
        try connection.execute(
            script: """
                INSERT INTO organizations (id, created_at) VALUES ('org_1', 0);
                INSERT INTO api_keys
                    (id, organization_id, label, hash, display_prefix, last4, created_by, created_at, updated_at)
                    VALUES ('00000000-0000-4000-8000-000000000001', 'org_1', 'old', x'01', 'ApiKey_', 'wxyz', 'culvertd', 0, 0);
                """)
        let store = try SQLiteStore.open(in: directory)
        let found = try await store.read { try $0.apiKey(hash: [1]) }
        let key = try #require(found)
        #expect(key.label == "old" && key.bounds == KeyBounds.none && key.replacedBy == nil)
        await store.close()
    }

    @Test func `a row whose narrowing cannot be read is no key at all`() async throws {
        let folder = try TemporaryDirectory()
        let directory = try DataDirectory.make(at: folder.path)
        await (try SQLiteStore.open(in: directory, creating: true)).close()
        let connection = try SQLiteConnection(path: folder.storePath, mode: .readWrite)
        try connection.run("INSERT INTO organizations (id, created_at) VALUES ('org_1', 0)")
        for (number, columns) in ["'keys:everything', NULL", "NULL, 'office'", "NULL, ' '"].enumerated() {
            try connection.run(
                """
                INSERT INTO api_keys
                    (id, organization_id, label, hash, display_prefix, last4, created_by, created_at, updated_at,
                    scopes, allowed_ip_ranges)
                    VALUES
                    ('00000000-0000-4000-8000-00000000000\(number)', 'org_1', 'x', x'0\(number)', '', '', 'x', 0, 0,
                    \(columns))
                """)
        }
        #expect(throws: SQLiteFailure.self) { try connection.run("UPDATE api_keys SET scopes = ''") }
        let again = try SQLiteStore.open(in: directory)
        for number in UInt8(0)..<3 {
            await #expect(throws: StoreError.self) { try await again.read { try $0.apiKey(hash: [number]) } }
        }
        await again.close()
    }
}
