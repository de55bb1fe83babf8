internal import CSQLite
internal import TunnelService

/// A SQLite call that failed: its extended result code, and SQLite's words.
struct SQLiteFailure: Error, Hashable {
    var code: Int32
    var text: String

    /// What a row is reported as that no version of this program wrote.
    static let corruptCode = SQLITE_CORRUPT

    /// The code without what specialises it: `SQLITE_IOERR` for `SQLITE_IOERR_FSYNC`.
    var primaryCode: Int32 { code & 0xff }

    /// What the use cases are told.
    var storeError: StoreError {
        switch primaryCode {
        case SQLITE_FULL: .full
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_READONLY, SQLITE_PERM: .readOnly
        case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt(text)
        case SQLITE_CONSTRAINT: .constraint(text)
        default: .io("\(text) (SQLite \(code))")
        }
    }
}
