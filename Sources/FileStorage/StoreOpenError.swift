internal import CSQLite

/// Why the store's file cannot be used at start: what happened, and what to do next.
package enum StoreOpenError: Error, Hashable, CustomStringConvertible {
    /// The directory has no store: `init` has not been run on it.
    case notInitialized(path: String)
    /// No listener has ever used the directory.
    case noInbox(path: String)
    /// Written by a later version of Culvert, whose rules this one does not know.
    case newerSchema(path: String, found: Int, known: Int)
    /// Written by an earlier version, which did not have what is asked for.
    case olderSchema(path: String)
    case locked(path: String)
    case readOnly(path: String)
    case full(path: String)
    /// The text is what was noticed.
    case corrupt(path: String, text: String)
    case notPermitted(path: String)
    /// Anything else; the text is SQLite's.
    case io(path: String, text: String)

    init(path: String, failure: SQLiteFailure) {
        switch failure.primaryCode {
        case SQLITE_BUSY, SQLITE_LOCKED: self = .locked(path: path)
        case SQLITE_READONLY: self = .readOnly(path: path)
        case SQLITE_FULL: self = .full(path: path)
        case SQLITE_CORRUPT, SQLITE_NOTADB: self = .corrupt(path: path, text: failure.text)
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: self = .notPermitted(path: path)
        default: self = .io(path: path, text: "\(failure.text) (SQLite \(failure.code))")
        }
    }

    package var description: String {
        switch self {
        case .notInitialized(let path):
            "there is no store at \(path); make one with `culvertd init` first"
        case .noInbox(let path):
            "there is no inbox at \(path); name the directory that “data” in the listener's file names, "
                + "or start the listener once"
        case .newerSchema(let path, let found, let known):
            "\(path) was written by a newer Culvert (schema \(found), this one knows \(known)); "
                + "start that version, or restore a backup from before the upgrade"
        case .olderSchema(let path):
            "\(path) was written by an older Culvert; start `culvertd serve` of this version once, which brings it up to date"
        case .locked(let path):
            "\(path) is locked by another program, such as a backup or sqlite3; close that program, then start again"
        case .readOnly(let path):
            "\(path) cannot be written; check its owner and mode and that its file system is mounted for writing"
        case .full(let path):
            "there is no room left for \(path); free some on that file system, then start again"
        case .corrupt(let path, let text):
            "\(path) is damaged (\(text)); move it away together with its -wal and -shm files and restore a backup"
        case .notPermitted(let path):
            "this user may not open \(path); run this program as the user who owns it, or give it to this one with chown"
        case .io(let path, let text):
            "\(path) cannot be used: \(text)"
        }
    }
}
