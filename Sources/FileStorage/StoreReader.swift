internal import TunnelService

/// Reads what has been committed, beside the writer and without waiting for it.
actor StoreReader {
    private let thread: StoreThread
    private var connection: SQLiteConnection?

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(connection: sending SQLiteConnection) {
        thread = StoreThread()
        self.connection = connection
    }

    /// Runs the body on one picture of the store.
    func perform<Answer: Sendable>(_ body: @Sendable (SQLiteTransaction) throws -> Answer) throws -> Answer {
        guard let connection else { throw StoreError.closed }
        do {
            try connection.run("BEGIN")
            defer { if connection.isInTransaction { _ = try? connection.run("COMMIT") } }
            return try body(SQLiteTransaction(connection: connection))
        } catch let failure as SQLiteFailure {
            throw failure.storeError
        }
    }

    func close() { connection = nil }
}
