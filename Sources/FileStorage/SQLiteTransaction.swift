internal import TunnelDomain
internal import TunnelService

/// What a body may do to the store while its transaction is open.
struct SQLiteTransaction {
    let connection: SQLiteConnection

    /// Runs a statement, and refuses when SQLite has already given the transaction up: it would be kept by itself.
    func change(_ sql: String, _ values: [SQLValue]) throws(StoreError) {
        guard connection.isInTransaction else { throw .io("the transaction has ended after an earlier failure") }
        do throws(SQLiteFailure) {
            try connection.run(sql, values)
        } catch {
            throw error.storeError
        }
    }

    func rows<Value>(
        _ sql: String, _ values: [SQLValue], _ read: (SQLRow) throws(SQLiteFailure) -> Value
    ) throws(StoreError) -> [Value] {
        do throws(SQLiteFailure) {
            return try connection.rows(sql, values, read)
        } catch {
            throw error.storeError
        }
    }

    func row<Value>(
        _ sql: String, _ values: [SQLValue], _ read: (SQLRow) throws(SQLiteFailure) -> Value
    ) throws(StoreError) -> Value? {
        do throws(SQLiteFailure) {
            return try connection.row(sql, values, read)
        } catch {
            throw error.storeError
        }
    }
}
