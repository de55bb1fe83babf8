internal import Glibc

/// The directory that holds everything a service must not lose, used by one process at a time, or by two of which one takes
/// over from the other.
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

    /// Takes the directory into use together with the process that sent its lock: it is free when both have ended.
    ///
    /// - Parameter lock: a descriptor of that process's lock, which belongs to this value from now on.
    package init(opening path: String, sharing lock: Int32) throws(DataDirectoryError) {
        self.path = path
        self.lock = lock
        try Self.check(path)
        Self.note(lock)
    }

    deinit { close(lock) }

    /// The lock, to be sent to the process that takes over.
    package var lockDescriptor: Int32 { lock }

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
        let end = ContinuousClock.now + orphanLimit
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            let number = errno
            let owner = processID(in: file)
            if number == EWOULDBLOCK, let owner, isGone(owner), ContinuousClock.now < end {
                usleep(orphanPause)
                continue
            }
            close(file)
            guard number == EWOULDBLOCK else { throw DataDirectoryError(path: path, errorNumber: number) }
            let directory = String(path.dropLast(lockFileName.utf8.count + 1))
            throw .inUse(path: directory, processID: owner)
        }
        note(file)
        return file
    }

    /// A process that was killed while it started a program leaves a copy of the lock with the child, until the child's exec.
    private static let orphanLimit: Duration = .seconds(10)
    /// Microseconds between two looks.
    private static let orphanPause: UInt32 = 5_000

    private static func isGone(_ processID: Int) -> Bool { kill(pid_t(clamping: processID), 0) != 0 && errno == ESRCH }

    /// Leaves this process's id in the file; only for the message above, so a failure here is no failure.
    private static func note(_ file: Int32) {
        let note = Array("\(getpid())\n".utf8)
        if ftruncate(file, 0) == 0 { _ = pwrite(file, note, note.count, 0) }
    }

    private static func processID(in file: Int32) -> Int? {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(file, &bytes, bytes.count, 0)
        return Int(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").first ?? "")
    }
}
