import FileStorage
import Glibc

/// What opens the authority's key, read from the operator's file. It is never told to anybody.
struct AuthorityPassphrase: Sendable {
    /// OpenSSL's bound on a passphrase, less the byte that ends it.
    static let byteCountMax = 1_023

    let text: String
    /// For complaints.
    let path: String

    /// Reads the first and only line of a file that nobody else may read.
    init(path: String) throws {
        self.path = path
        try Self.requirePrivacy(path)
        var bytes = try readFile(path)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty, bytes.count <= Self.byteCountMax,
            bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else {
            throw Complaint(
                "\(path) must hold one line of 1 to \(Self.byteCountMax) bytes in UTF-8, the passphrase of the CA's key")
        }
        self.text = text
    }

    private static func requirePrivacy(_ path: String) throws {
        var status = stat()
        // Whether it is there at all, reading tells better.
        guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return }
        throw Complaint("\(path) is open to other users; `chmod go-rwx \(path)`")
    }
}
