import TestSupport
import Testing
import TunnelDomain

@testable import FileStorage

struct InboxSchemaTests {
    @Test func `an inbox of an older version is taken over with its events`() async throws {
        let folder = try TemporaryDirectory()
        try Self.makeOlder(in: folder.path)
        let inbox = try Inbox.own(at: folder.path)
        let event = try #require(try await inbox.event(1))
        #expect((event.route, event.isWanted, event.filterNote) == ("r", false, nil))
        await inbox.close()
    }

    private static func makeOlder(in folder: String) throws {
        let directory = try DataDirectory.make(at: folder)
        try directory.touch(Inbox.fileName)
        let older = try SQLiteConnection(path: directory.path(of: Inbox.fileName), mode: .readWrite)
        try SchemaMigration(steps: Array(InboxSchema.steps.prefix(1))).run(on: older)
        try older.execute(
            script: """
                INSERT INTO events (route, received_at, method, target, address, fields, body, verdict, is_wanted)
                VALUES ('r', 0, 'POST', '/in', '192.0.2.7', '[]', x'7b7d', '{}', 0)
                """)
    }
}
