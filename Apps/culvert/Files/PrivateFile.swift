internal import Glibc

/// A file that holds secrets: mode 0600, in a folder of mode 0700, replaced as a whole or not at all.
enum PrivateFile {
    /// No file of ours is larger.
    static let byteCountMax = 1024 * 1024

    /// The content, or nil when there is no such file.
    ///
    /// - Throws: when it cannot be read, or when others could have read it.
    static func read(_ path: String) throws(Complaint) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Complaint("\(path) cannot be read: \(lastError)", advice: "It must be readable for you.")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Complaint("\(path) is not a regular file", advice: "Move it away; it will be written anew.")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw Complaint(
                "\(path) holds secrets and is open to other users (mode \(String(status.st_mode & 0o777, radix: 8)))",
                advice: "Run: chmod 600 \(path). If others may have read it, rotate what is in it.")
        }
        return try readAll(descriptor, path)
    }

    /// The content of a file that somebody else keeps, or of standard input when the path is `-`.
    static func readForeign(_ path: String) throws(Complaint) -> [UInt8] {
        guard path != "-" else { return try readAll(0, "standard input") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Complaint(
                "\(Printable.text(path)) cannot be read: \(lastError)", advice: "Check the path.", exitCode: .usage)
        }
        defer { close(descriptor) }
        return try readAll(descriptor, Printable.text(path))
    }

    /// Writes the file beside its place, brings it to the disk, and moves it into place.
    static func write(_ bytes: [UInt8], to path: String) throws(Complaint) {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        try makeFolder(folder)
        let draft = "\(path).\(getpid()).new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw unwritable(path) }
        // The mode given to `open` is cut by the umask; this one is not.
        let isWritten = fchmod(descriptor, 0o600) == 0 && writeAll(bytes, descriptor) && fsync(descriptor) == 0
        let problem = isWritten ? nil : unwritable(path)
        close(descriptor)
        if let problem {
            unlink(draft)
            throw problem
        }
        guard rename(draft, path) == 0 else {
            let problem = unwritable(path)
            unlink(draft)
            throw problem
        }
    }

    static func remove(_ path: String) { unlink(path) }

    private static func makeFolder(_ folder: String) throws(Complaint) {
        var path = ""
        for part in folder.split(separator: "/") {
            path += "/" + part
            guard mkdir(path, 0o700) == 0 || errno == EEXIST || errno == EROFS || errno == EACCES else {
                throw unwritable(path)
            }
        }
    }

    private static func readAll(_ descriptor: Int32, _ name: String) throws(Complaint) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Complaint("\(name) cannot be read: \(lastError)") }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= byteCountMax else {
                throw Complaint("\(name) is too large: more than 1 MiB", exitCode: .usage)
            }
        }
    }

    private static func writeAll(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + offset }, bytes.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }

    private static func unwritable(_ path: String) -> Complaint {
        Complaint("\(path) cannot be written: \(lastError)", advice: "Check the folder's permissions and the free space.")
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}
