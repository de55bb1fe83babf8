internal import Glibc

/// A file that holds secrets: mode 0600, in a folder of mode 0700, replaced as a whole or not at all.
package enum PrivateFile {
    /// No file of ours is larger.
    package static let byteCountMax = 1024 * 1024

    /// The content, or nil when there is no such file.
    ///
    /// - Throws: when it cannot be read, or when others could have read it.
    package static func read(_ path: String) throws(ProfileFlaw) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw ProfileFlaw("\(path) cannot be read: \(lastError)", advice: "It must be readable for you.")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ProfileFlaw("\(path) is not a regular file", advice: "Move it away; it will be written anew.")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw ProfileFlaw(
                "\(path) holds secrets and is open to other users (mode \(String(status.st_mode & 0o777, radix: 8)))",
                advice: "Run: chmod 600 \(path). If others may have read it, rotate what is in it.")
        }
        return try readAll(descriptor, path)
    }

    /// The content of a file that somebody else keeps, or of standard input when the path is `-`.
    package static func readForeign(_ path: String) throws(ProfileFlaw) -> [UInt8] {
        guard path != "-" else { return try readAll(0, "standard input") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ProfileFlaw(
                "\(Printable.text(path)) cannot be read: \(lastError)", advice: "Check the path.", kind: .usage)
        }
        defer { close(descriptor) }
        return try readAll(descriptor, Printable.text(path))
    }

    /// Writes the file beside its place, brings it to the disk, and moves it into place.
    package static func write(_ bytes: [UInt8], to path: String) throws(ProfileFlaw) {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        try makeFolder(folder)
        do throws(DraftFile.Flaw) { try DraftFile(for: path).commit(bytes) } catch { throw ProfileFlaw(error) }
    }

    package static func remove(_ path: String) { unlink(path) }

    private static func makeFolder(_ folder: String) throws(ProfileFlaw) {
        var path = ""
        for part in folder.split(separator: "/") {
            path += "/" + part
            guard mkdir(path, 0o700) == 0 || errno == EEXIST || errno == EROFS || errno == EACCES else {
                throw unwritable(path)
            }
        }
    }

    private static func readAll(_ descriptor: Int32, _ name: String) throws(ProfileFlaw) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ProfileFlaw("\(name) cannot be read: \(lastError)") }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= byteCountMax else {
                throw ProfileFlaw("\(name) is too large: more than 1 MiB", kind: .usage)
            }
        }
    }

    private static func unwritable(_ path: String) -> ProfileFlaw {
        ProfileFlaw("\(path) cannot be written: \(lastError)", advice: "Check the folder's permissions and the free space.")
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}

extension ProfileFlaw {
    package init(_ flaw: DraftFile.Flaw) {
        switch flaw {
        case .notRegular(let path):
            self.init("\(Printable.text(path)) is not a regular file", advice: "Give another path.", kind: .usage)
        case .unwritable(let path, let reason):
            self.init(
                "\(Printable.text(path)) cannot be written: \(reason)",
                advice: "Check the folder's permissions and the free space.")
        }
    }
}
