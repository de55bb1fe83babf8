internal import CSQLite

/// A prepared statement; belongs to its connection and to that connection's thread.
final class SQLiteStatement {
    private let handle: OpaquePointer
    private let database: OpaquePointer

    init(_ sql: String, database: OpaquePointer) throws(SQLiteFailure) {
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw SQLiteFailure(database: database, code: code) }
        self.handle = handle
        self.database = database
    }

    deinit { sqlite3_finalize(handle) }

    /// Puts a value into each placeholder; there must be as many values as placeholders.
    func bind(_ values: [SQLValue]) throws(SQLiteFailure) {
        precondition(Int(sqlite3_bind_parameter_count(handle)) == values.count, "each placeholder has its value")
        for (index, value) in values.enumerated() {
            let code = bind(value, at: Int32(index + 1))
            guard code == SQLITE_OK else { throw SQLiteFailure(database: database, code: code) }
        }
    }

    private func bind(_ value: SQLValue, at place: Int32) -> Int32 {
        let copies = culvert_sqlite_transient()
        switch value {
        case .null:
            return sqlite3_bind_null(handle, place)
        case .integer(let number):
            return sqlite3_bind_int64(handle, place, number)
        case .text(let text):
            // A C string is never without an address, which SQLite would read as NULL; the count lets NUL be a character.
            return text.withCString { sqlite3_bind_text(handle, place, $0, Int32(text.utf8.count), copies) }
        case .blob(let bytes):
            return bytes.isEmpty
                ? sqlite3_bind_zeroblob(handle, place, 0)
                : sqlite3_bind_blob(handle, place, bytes, Int32(bytes.count), copies)
        }
    }

    /// Goes to the next row; false when there is none.
    func step() throws(SQLiteFailure) -> Bool {
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw SQLiteFailure(database: database, code: code)
        }
    }

    /// Makes the statement ready for its next use and forgets its values.
    func reset() {
        // The result repeats the failure of the last step, which was reported then.
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    /// The row that the last step came to; valid until the next one.
    var row: SQLRow { SQLRow(handle: handle) }
}

/// The columns of the current row, from 0, in the order of the SELECT.
struct SQLRow {
    fileprivate let handle: OpaquePointer

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func flag(_ column: Int32) -> Bool { integer(column) != 0 }

    func text(_ column: Int32) -> String {
        guard let bytes = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    func blob(_ column: Int32) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
    }

    func integerOrNil(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
    func textOrNil(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func blobOrNil(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : blob(column) }
}
