internal import Glibc

/// The directory that holds everything a service must not lose, used by one process at a time.
///
/// It is of mode 0700 and its files of mode 0600: the store and the keys in it are nobody else's business.
package final class DataDirectory: Sendable {
    package let path: String
    /// Holds the lock for as long as the directory is in use; the kernel lets go of it when the process dies.
    private let lock: Int32

    private static let lockFileName = "culvertd.lock"

    /// Makes the directory, with its parents, unless it is there; then opens it.
    package static func make(at path: String) throws(DataDirectoryError) -> DataDirectory {
        try makeFolders(path)
        return try DataDirectory(opening: path)
    }

    /// Takes the directory into use, unless it is missing, open to others, or used by another process.
    package init(opening path: String) throws(DataDirectoryError) {
        try Self.check(path)
        self.path = path
        lock = try Self.takeLock(path + "/" + Self.lockFileName)
    }

    deinit { close(lock) }

    /// The path of a file in the directory.
    package func path(of name: String) -> String { path + "/" + name }

    private static func check(_ path: String) throws(DataDirectoryError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let error = DataDirectoryError(path: path, errorNumber: errno)
            throw error == .missingFile(path: path) ? .missing(path: path) : error
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .notADirectory(path: path) }
        let mode = status.st_mode & 0o7777
        guard mode & 0o077 == 0 else { throw .openToOthers(path: path, mode: mode) }
        guard access(path, R_OK | W_OK | X_OK) == 0 else { throw DataDirectoryError(path: path, errorNumber: errno) }
    }

    private static func makeFolders(_ path: String) throws(DataDirectoryError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        guard errno == ENOENT, !parent.isEmpty else { throw DataDirectoryError(path: path, errorNumber: errno) }
        try makeFolders(parent)
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw DataDirectoryError(path: path, errorNumber: errno) }
    }

    private static func takeLock(_ path: String) throws(DataDirectoryError) -> Int32 {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DataDirectoryError(path: path, errorNumber: errno) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            defer { close(file) }
            guard number == EWOULDBLOCK else { throw DataDirectoryError(path: path, errorNumber: number) }
            let directory = String(path.dropLast(lockFileName.utf8.count + 1))
            throw .inUse(path: directory, processID: processID(in: file))
        }
        // Only for the message above, so a failure here is no failure.
        let note = Array("\(getpid())\n".utf8)
        if ftruncate(file, 0) == 0 { _ = pwrite(file, note, note.count, 0) }
        return file
    }

    private static func processID(in file: Int32) -> Int? {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(file, &bytes, bytes.count, 0)
        return Int(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").first ?? "")
    }
}
