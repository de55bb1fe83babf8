import Foundation
import Testing

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
