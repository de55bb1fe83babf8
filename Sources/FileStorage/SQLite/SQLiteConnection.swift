internal import CSQLite
internal import Glibc

/// One connection to the database file; belongs to one thread.
final class SQLiteConnection {
    enum Mode: Hashable { case readWrite, readOnly }

    /// How long a statement waits for another process's lock, such as a backup's.
    static let busyMillisecondsMaxDefault: Int32 = 5_000

    private let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]

    init(path: String, mode: Mode, busyMillisecondsMax: Int32 = busyMillisecondsMaxDefault) throws(SQLiteFailure) {
        // The connection stays on its thread, so SQLite's own locking of it would be wasted.
        let access = mode == .readWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened else {
            let failure = opened.map { SQLiteFailure(database: $0, code: code) }
            sqlite3_close_v2(opened)
            throw failure ?? SQLiteFailure(code: code, text: "out of memory")
        }
        handle = opened
        sqlite3_busy_timeout(handle, busyMillisecondsMax)
    }

    deinit {
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    /// Whether the file, or its file system, took only reading although more was asked for.
    var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") == 1 }

    /// Whether a transaction is open. SQLite ends one by itself on a full disk or an I/O error.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Rows that the last INSERT, UPDATE or DELETE touched.
    var changeCount: Int { Int(sqlite3_changes64(handle)) }

    /// Runs a statement for its effect and gives back how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ values: [SQLValue] = []) throws(SQLiteFailure) -> Int {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        while try statement.step() {}
        return changeCount
    }

    /// Reads every row of the answer.
    func rows<Value>(
        _ sql: String, _ values: [SQLValue] = [], _ read: (SQLRow) throws(SQLiteFailure) -> Value
    ) throws(SQLiteFailure) -> [Value] {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        var answer: [Value] = []
        while try statement.step() { answer.append(try read(statement.row)) }
        return answer
    }

    /// Reads the first row of the answer, or nil when it has none.
    func row<Value>(
        _ sql: String, _ values: [SQLValue] = [], _ read: (SQLRow) throws(SQLiteFailure) -> Value
    ) throws(SQLiteFailure) -> Value? {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        return try statement.step() ? try read(statement.row) : nil
    }

    /// Runs several statements, as a migration has them, without keeping them.
    func execute(script: String) throws(SQLiteFailure) {
        let code = sqlite3_exec(handle, script, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteFailure(database: handle, code: code) }
    }

    /// Statements are written out in the source, so the cache is as large as the source is.
    private func prepared(_ sql: String) throws(SQLiteFailure) -> SQLiteStatement {
        if let kept = statements[sql] { return kept }
        let made = try SQLiteStatement(sql, database: handle)
        statements[sql] = made
        return made
    }
}

extension SQLiteFailure {
    /// Takes the code with what the connection says about it.
    init(database: OpaquePointer, code: Int32) {
        self.init(code: code, text: String(cString: sqlite3_errmsg(database)))
        // SQLite takes only ENOSPC for a full disk; a quota that is used up is one too.
        if primaryCode == SQLITE_IOERR, sqlite3_system_errno(database) == EDQUOT { self.code = SQLITE_FULL }
    }
}
