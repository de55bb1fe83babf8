internal import Glibc
package import TunnelDomain
internal import TunnelService

/// The durable inbox of webhooks and their runs, in one SQLite file.
///
/// Nothing is acknowledged before it is committed, and changes that come at the same moment share one commit. One process owns
/// the inbox; others may read it, and leave wishes.
package final class Inbox: Sendable {
    package static let fileName = "inbox.db"

    /// Kept for as long as the inbox is owned, and so locked against other owners.
    private let directory: DataDirectory?
    let writer: StoreWriter
    let reader: StoreReader

    private init(directory: DataDirectory?, writer: sending SQLiteConnection, reader: sending SQLiteConnection) {
        self.directory = directory
        self.writer = StoreWriter(connection: writer)
        self.reader = StoreReader(connection: reader)
    }

    /// Opens the directory's inbox for the one process that runs its actions, making it first when it is missing.
    ///
    /// - Throws: `StoreOpenError` or `DataDirectoryError`; `.inUse` when another process owns it.
    package static func own(at path: String) throws -> Inbox {
        let directory = try DataDirectory.make(at: path)
        try directory.touch(fileName)
        return try open(directory.path(of: fileName), directory: directory)
    }

    /// Opens the inbox beside its owner: to read, and to leave wishes.
    package static func visit(at path: String) throws -> Inbox {
        let file = path + "/" + fileName
        guard access(file, R_OK | W_OK) == 0 else {
            throw errno == EACCES ? StoreOpenError.notPermitted(path: file) : .noInbox(path: file)
        }
        return try open(file, directory: nil)
    }

    private static func open(_ file: String, directory: DataDirectory?) throws -> Inbox {
        do {
            let writer = try SQLiteConnection(path: file, mode: .readWrite)
            try configure(writer)
            try SchemaMigration(steps: InboxSchema.steps).run(on: writer)
            let reader = try SQLiteConnection(path: file, mode: .readOnly)
            return Inbox(directory: directory, writer: writer, reader: reader)
        } catch let failure as SQLiteFailure {
            throw StoreOpenError(path: file, failure: failure)
        } catch let newer as SchemaMigration.NewerSchema {
            throw StoreOpenError.newerSchema(path: file, found: newer.found, known: newer.known)
        }
    }

    private static func configure(_ connection: SQLiteConnection) throws(SQLiteFailure) {
        // As the service's store has it: FULL syncs the log at every commit.
        for setting in ["journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"] {
            try connection.run("PRAGMA \(setting)")
        }
        try connection.run("PRAGMA journal_size_limit = 67108864")
    }

    package func close() async {
        await reader.close()
        await writer.close()
    }

    /// How often a commit reached the disk since the inbox was opened.
    package var commitCount: Int { get async { await writer.commitCount } }
}

// MARK: - Taking events

extension Inbox {
    /// Stores the event, with a run for it when the route wants it; returns once it is on the disk.
    ///
    /// - Parameters:
    ///   - line: what the run stays in order with; nil makes a line of its own.
    ///   - digest: the signed message's digest, with the moment from which it cannot be replayed any more.
    package func accept(
        _ event: InboxEvent, line: String?, expiresAt: Timestamp?, digest: (bytes: [UInt8], forgetAt: Timestamp)? = nil
    ) async throws -> InboxAnswer {
        try await writer.perform { store in
            if let id = event.deliveryID {
                let known = try store.row(
                    "SELECT id FROM events WHERE route = ? AND delivery_id = ?", [.text(event.route), .text(id)]
                ) { $0.integer(0) }
                if let known { return .duplicate(eventID: known) }
            }
            if let digest {
                let isKnown = try store.row(
                    "SELECT 1 FROM messages WHERE route = ? AND digest = ? AND forget_at >= ?",
                    [.text(event.route), .blob(digest.bytes), .integer(event.receivedAt.microsecondsSinceEpoch)]
                ) { _ in true }
                if isKnown == true { return .replayed }
                try store.change(
                    "INSERT OR REPLACE INTO messages (route, digest, forget_at) VALUES (?, ?, ?)",
                    [.text(event.route), .blob(digest.bytes), .integer(digest.forgetAt.microsecondsSinceEpoch)])
            }
            try store.change(
                """
                INSERT INTO events
                    (route, delivery_id, received_at, method, target, address, fields, body, verdict, is_wanted, filter_note)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, InboxRows.values(of: event))
            let eventID = try store.lastInsertedID()
            guard event.isWanted else { return .accepted(eventID: eventID, run: nil) }
            let run = Run(createdAt: event.receivedAt, expiresAt: expiresAt)
            let made = try store.insert(run, eventID: eventID, route: event.route, line: line)
            return .accepted(eventID: eventID, run: made)
        }
    }

    /// What waits, is under way, or is in the dead letter; this is what the inbox's bound is about.
    package func backlog() async throws -> InboxBacklog {
        try await reader.perform { store in
            let found = try store.row(
                """
                SELECT count(*), coalesce(sum(length(body)), 0) FROM events
                WHERE id IN (SELECT event_id FROM runs WHERE state IN ('waiting', 'running', 'dead'))
                """, []
            ) { InboxBacklog(eventCount: Int($0.integer(0)), byteCount: Int($0.integer(1))) }
            return found ?? InboxBacklog(eventCount: 0, byteCount: 0)
        }
    }

    /// Forgets what was done before the moment, and messages that cannot be replayed any more. The dead letter stays.
    ///
    /// - Returns: how many events were forgotten; there may be more when it is `countMax`.
    package func forget(doneBefore moment: Timestamp, now: Timestamp, countMax: Int) async throws -> Int {
        try await writer.perform { store in
            try store.change("DELETE FROM messages WHERE forget_at < ?", [.integer(now.microsecondsSinceEpoch)])
            try store.change(
                """
                DELETE FROM events WHERE id IN (
                    SELECT id FROM events WHERE received_at < ? AND NOT EXISTS (
                        SELECT 1 FROM runs WHERE event_id = events.id
                        AND (state IN ('waiting', 'running', 'dead') OR state_at >= ?))
                    ORDER BY received_at LIMIT ?)
                """,
                [
                    .integer(moment.microsecondsSinceEpoch), .integer(moment.microsecondsSinceEpoch),
                    .integer(Int64(countMax)),
                ])
            return store.connection.changeCount
        }
    }
}

extension SQLiteTransaction {
    func lastInsertedID() throws(StoreError) -> Int64 {
        guard let id = try row("SELECT last_insert_rowid()", [], { $0.integer(0) }) else {
            throw .io("the inserted row has no id")
        }
        return id
    }

    func insert(_ run: Run, eventID: Int64, route: String, line: String?) throws(StoreError) -> InboxRun {
        let line = line.map { "key:\($0)" } ?? "event:\(eventID)"
        try change(
            """
            INSERT INTO runs
                (event_id, route, line, created_at, expires_at, attempt_count, state, state_at, death, detail, output)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', x'')
            """,
            [
                .integer(eventID), .text(route), .text(line), .integer(run.createdAt.microsecondsSinceEpoch),
                SQLValue(run.expiresAt?.microsecondsSinceEpoch), .integer(Int64(run.attemptCount)),
            ] + InboxRows.stateValues(of: run))
        return InboxRun(
            id: try lastInsertedID(), eventID: eventID, route: route, line: line, run: run, detail: "", output: [])
    }
}
