internal import Glibc

/// Why the data directory, or a file in it, cannot be used: what happened, and what to do next.
package enum DataDirectoryError: Error, Hashable, CustomStringConvertible {
    case missing(path: String)
    case notADirectory(path: String)
    /// Others could read what is in it: `mode` is what `ls` would show in octal.
    case openToOthers(path: String, mode: UInt32)
    /// The system says no to this user.
    case notPermitted(path: String)
    case readOnly(path: String)
    case full(path: String)
    /// Another process holds the directory; nil when it is not known which.
    case inUse(path: String, processID: Int?)
    case missingFile(path: String)
    /// Anything else; the text is the system's.
    case io(path: String, text: String)

    /// Turns an error number of the C library into a case; `ENOENT` means that a file is missing.
    init(path: String, errorNumber: Int32) {
        switch errorNumber {
        case ENOENT: self = .missingFile(path: path)
        case ENOTDIR: self = .notADirectory(path: path)
        case EACCES, EPERM: self = .notPermitted(path: path)
        case EROFS: self = .readOnly(path: path)
        case ENOSPC, EDQUOT: self = .full(path: path)
        default: self = .io(path: path, text: String(cString: strerror(errorNumber)))
        }
    }

    package var description: String {
        switch self {
        case .missing(let path):
            "the data directory \(path) does not exist; make it with `culvertd init --data-dir \(path)`"
        case .notADirectory(let path):
            "\(path) is not a directory; name another one with --data-dir"
        case .openToOthers(let path, let mode):
            "\(path) is open to other users (mode \(String(mode, radix: 8))); close it with `chmod go-rwx \(path)`"
        case .notPermitted(let path):
            "this user may not use \(path); run this program as the user who owns it, or give it to this one with chown"
        case .readOnly(let path):
            "\(path) lies on a file system that is mounted read-only; mount it for writing or move the data directory"
        case .full(let path):
            "there is no room left for \(path); free some on that file system, then start again"
        case .inUse(let path, let processID?):
            "another program (process \(processID)) is using \(path); stop it first, or give this one its own directory"
        case .inUse(let path, nil):
            "another program is using \(path); stop it first, or give this one its own directory"
        case .missingFile(let path):
            "\(path) is missing; restore it from a backup, or start afresh with `culvertd init` in an empty directory"
        case .io(let path, let text):
            "\(path) cannot be used: \(text)"
        }
    }
}
