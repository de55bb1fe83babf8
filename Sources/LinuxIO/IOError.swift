internal import CLinux
internal import Glibc

/// A system call that failed, with what it was and why.
package struct IOError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: Int32
    /// The name of the system call, for people: `bind`, `connect`.
    package let operation: String

    package init(code: Int32, operation: String) {
        self.code = code
        self.operation = operation
    }

    /// The error that the thread's last system call left in `errno`.
    package static func last(_ operation: String) -> IOError { IOError(code: errno, operation: operation) }

    package var description: String { "\(operation): \(String(cString: strerror(code)))" }
    package var isAddressInUse: Bool { code == EADDRINUSE }
    package var isPermissionDenied: Bool { code == EACCES || code == EPERM }
    package var isNotFound: Bool { code == ENOENT || code == ENOTDIR }
    package var isConnectionRefused: Bool { code == ECONNREFUSED }
}
