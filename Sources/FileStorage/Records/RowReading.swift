internal import CSQLite
internal import TunnelDomain

extension SQLiteFailure {
    /// A row holds what no version of this program writes.
    static func badRow(_ table: String, _ column: String) -> SQLiteFailure {
        SQLiteFailure(code: SQLITE_CORRUPT, text: "a row of \(table) has an unreadable \(column)")
    }
}

/// Passes what could be made of a column, or says which column cannot be read.
func readable<Value>(_ value: Value?, _ table: String, _ column: String) throws(SQLiteFailure) -> Value {
    guard let value else { throw .badRow(table, column) }
    return value
}

extension SQLRow {
    func time(_ column: Int32) -> Timestamp { Timestamp(microsecondsSinceEpoch: integer(column)) }
    func timeOrNil(_ column: Int32) -> Timestamp? {
        integerOrNil(column).map { Timestamp(microsecondsSinceEpoch: $0) }
    }
}

extension SQLValue {
    init(_ time: Timestamp?) { self.init(time?.microsecondsSinceEpoch) }
}
