internal import Glibc
package import TunnelService

/// The audit trail as it lies in the store's file, read beside a service that may be running.
///
/// Everything is read from one picture of the file, and nothing is written or locked.
package final class AuditArchive {
    /// Lines that are in memory at a time.
    private static let batchCount = 1_000

    private let connection: SQLiteConnection

    /// - Throws: `StoreOpenError`.
    package init(dataDirectory: String) throws {
        let path = dataDirectory + "/" + SQLiteStore.fileName
        guard access(path, F_OK) == 0 else { throw StoreOpenError.notInitialized(path: path) }
        do {
            connection = try SQLiteConnection(path: path, mode: .readOnly)
            let found = try SchemaMigration().version(of: connection)
            guard found <= Schema.version else {
                throw StoreOpenError.newerSchema(path: path, found: found, known: Schema.version)
            }
            guard found == Schema.version else { throw StoreOpenError.olderSchema(path: path) }
            try connection.run("BEGIN")
        } catch let failure as SQLiteFailure {
            throw StoreOpenError(path: path, failure: failure)
        }
    }

    /// What was last kept of the trail's head, sealed; nil when nothing was.
    package func sealedHead() throws -> [UInt8]? {
        try SQLiteTransaction(connection: connection).auditHead()
    }

    /// Hands over every line, the oldest first.
    package func forEachLine(_ body: (AuditLine) throws -> Void) throws {
        let transaction = SQLiteTransaction(connection: connection)
        var place = Int64.min
        while true {
            let values = [SQLValue.integer(place), SQLValue(Self.batchCount)]
            let lines = try transaction.rows(Query.auditLinesInOrder, values, AuditRows.read)
            for line in lines { try body(line) }
            guard lines.count == Self.batchCount, let last = lines.last else { return }
            place = last.sequence
        }
    }
}
