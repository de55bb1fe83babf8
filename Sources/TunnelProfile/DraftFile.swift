internal import Glibc

/// A file that is written beside its place, mode 0600 unless another is given, and moved there as a whole. Without `commit`
/// nothing is left of it.
package final class DraftFile {
    /// Why a file is not written.
    package enum Flaw: Error, Hashable, CustomStringConvertible {
        /// Something that is no plain file has the place.
        case notRegular(path: String)
        case unwritable(path: String, reason: String)

        package var description: String {
            switch self {
            case .notRegular(let path): "\(path) is not a regular file"
            case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
            }
        }
    }

    /// Where it will be.
    package let path: String
    private let draft: String
    private var descriptor: Int32

    /// Makes the empty draft; the folder must be there.
    ///
    /// - Throws: when the folder cannot be written to, or something that is no plain file has the place.
    package init(for path: String, mode: UInt32 = 0o600) throws(Flaw) {
        self.path = path
        draft = "\(path).\(getpid()).new"
        descriptor = -1
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw .notRegular(path: path)
        }
        unlink(draft)
        descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        // The mode given to `open` is cut by the umask; this one is not.
        guard descriptor >= 0, fchmod(descriptor, mode) == 0 else { throw unwritable }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(draft)
    }

    /// Writes the content, brings it to the disk, and moves it into place.
    package func commit(_ bytes: [UInt8]) throws(Flaw) {
        precondition(descriptor >= 0, "a draft is committed once")
        guard writeAll(bytes), fsync(descriptor) == 0, rename(draft, path) == 0 else { throw unwritable }
        close(descriptor)
        descriptor = -1
        syncFolder()
    }

    /// The move itself must not be lost either.
    private func syncFolder() {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private func writeAll(_ bytes: [UInt8]) -> Bool {
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

    private var unwritable: Flaw { .unwritable(path: path, reason: String(cString: strerror(errno))) }
}
