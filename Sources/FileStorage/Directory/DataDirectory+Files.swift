internal import Glibc

extension DataDirectory {
    /// Whether the file is there.
    package func has(_ name: String) -> Bool { access(path(of: name), F_OK) == 0 }

    /// The bytes of a file; keys and the like, so at most a mebibyte.
    package func read(_ name: String) throws(DataDirectoryError) -> [UInt8] {
        try readFile(path(of: name))
    }

    /// The file's bytes, after making it with these when it is not there yet.
    package func read(_ name: String, orMake make: () -> [UInt8]) throws(DataDirectoryError) -> [UInt8] {
        if !has(name) { try write(make(), to: name) }
        return try read(name)
    }

    /// Replaces a file as a whole: after a crash there is the old one or the new one, never half of one.
    ///
    /// The file is of mode 0600, or 0644 when it holds nothing secret.
    package func write(_ bytes: [UInt8], to name: String, isPublic: Bool = false) throws(DataDirectoryError) {
        let target = path(of: name)
        let draft = target + ".new"
        try writeDraft(bytes, to: draft, mode: isPublic ? 0o644 : 0o600)
        guard rename(draft, target) == 0 else { throw DataDirectoryError(path: target, errorNumber: errno) }
        try syncDirectory()
    }

    private func writeDraft(_ bytes: [UInt8], to draft: String, mode: mode_t) throws(DataDirectoryError) {
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw DataDirectoryError(path: draft, errorNumber: errno) }
        defer { close(file) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + written, bytes.count - written) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw DataDirectoryError(path: draft, errorNumber: errno) }
            written += count
        }
        guard fsync(file) == 0 else { throw DataDirectoryError(path: draft, errorNumber: errno) }
    }

    /// Makes the names of new files as lasting as their bytes.
    func syncDirectory() throws(DataDirectoryError) {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw DataDirectoryError(path: path, errorNumber: errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw DataDirectoryError(path: path, errorNumber: errno) }
    }

    /// Makes an empty file of mode 0600 unless it is there, so that SQLite does not choose the mode.
    func touch(_ name: String) throws(DataDirectoryError) {
        let file = open(path(of: name), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw DataDirectoryError(path: path(of: name), errorNumber: errno) }
        close(file)
    }
}

/// The bytes of a small file anywhere, at most a mebibyte of them.
package func readFile(_ path: String) throws(DataDirectoryError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw DataDirectoryError(path: path, errorNumber: errno) }
    defer { close(file) }
    let byteCountMax = 1 << 20
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
        let count = Glibc.read(file, &chunk, chunk.count)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw DataDirectoryError(path: path, errorNumber: errno) }
        if count == 0 { return bytes }
        bytes += chunk[..<count]
        guard bytes.count <= byteCountMax else { throw .io(path: path, text: "it is larger than a mebibyte") }
    }
}
