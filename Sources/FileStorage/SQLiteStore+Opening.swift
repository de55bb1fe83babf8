extension SQLiteStore {
    /// Opens the directory's store, making it first when asked to, and brings its schema up to date.
    ///
    /// Whatever would make the first change fail later is found here: a damaged, read-only or newer file, or a full disk.
    ///
    /// - Parameter pageCountMax: The most pages of 4 KiB that the file may grow to; nil for SQLite's own bound.
    /// - Throws: `StoreOpenError` or `DataDirectoryError`.
    package static func open(
        in directory: DataDirectory, creating: Bool = false, pageCountMax: Int? = nil
    ) throws -> SQLiteStore {
        try open(
            in: directory, creating: creating, pageCountMax: pageCountMax,
            busyMillisecondsMax: SQLiteConnection.busyMillisecondsMaxDefault)
    }

    /// The same, waiting for another program's lock no longer than told.
    static func open(
        in directory: DataDirectory, creating: Bool, pageCountMax: Int?, busyMillisecondsMax: Int32
    ) throws -> SQLiteStore {
        let path = directory.path(of: fileName)
        guard creating || directory.has(fileName) else { throw StoreOpenError.notInitialized(path: path) }
        try directory.touch(fileName)
        do {
            let writer = try makeWriter(path, pageCountMax: pageCountMax, busyMillisecondsMax: busyMillisecondsMax)
            let reader = try SQLiteConnection(path: path, mode: .readOnly, busyMillisecondsMax: busyMillisecondsMax)
            try configure(reader)
            return SQLiteStore(directory: directory, writer: writer, reader: reader)
        } catch let failure as SQLiteFailure {
            throw StoreOpenError(path: path, failure: failure)
        } catch let newer as SchemaMigration.NewerSchema {
            throw StoreOpenError.newerSchema(path: path, found: newer.found, known: newer.known)
        }
    }

    private static func makeWriter(
        _ path: String, pageCountMax: Int?, busyMillisecondsMax: Int32
    ) throws -> SQLiteConnection {
        let connection = try SQLiteConnection(path: path, mode: .readWrite, busyMillisecondsMax: busyMillisecondsMax)
        let migration = SchemaMigration()
        // A newer file is left alone before anything is written to it.
        let found = try migration.version(of: connection)
        guard found <= Schema.version else { throw SchemaMigration.NewerSchema(found: found, known: Schema.version) }
        guard !connection.isReadOnly else { throw StoreOpenError.readOnly(path: path) }
        try configure(connection)
        if let pageCountMax { try connection.run("PRAGMA max_page_count = \(pageCountMax)") }
        let verdict = try connection.row("PRAGMA quick_check(1)") { $0.text(0) } ?? "no answer"
        guard verdict == "ok" else { throw StoreOpenError.corrupt(path: path, text: verdict) }
        try migration.run(on: connection)
        // A file that cannot be written to shows it now.
        try connection.run("INSERT OR REPLACE INTO service (name, value) VALUES ('opened_at', datetime('now'))")
        return connection
    }

    private static func configure(_ connection: SQLiteConnection) throws(SQLiteFailure) {
        // FULL syncs the log at every commit; with NORMAL a power cut takes acknowledged changes back.
        for setting in ["journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"] {
            try connection.run("PRAGMA \(setting)")
        }
        // The log is cut back after a burst instead of staying at its largest.
        try connection.run("PRAGMA journal_size_limit = 67108864")
    }
}
