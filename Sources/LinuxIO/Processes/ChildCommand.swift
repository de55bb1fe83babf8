internal import CLinux
internal import Glibc

/// A program to start: never a shell, and nothing of this process's environment but what is named.
package struct ChildCommand: Sendable, Hashable {
    /// The program's file; nothing is searched for.
    package var path: String
    /// What the program sees as its arguments, its own name first.
    package var arguments: [String]
    package var environment: [String: String]
    /// Where it starts; nil for this process's own directory.
    package var directory: String?
    /// Who it runs as; nil for this process's own user.
    package var user: ChildUser?

    package init(
        path: String, arguments: [String], environment: [String: String] = [:], directory: String? = nil,
        user: ChildUser? = nil
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.user = user
    }

    /// The file that a shell would start for this name: as it is with a slash in it, else the first in the path's directories.
    package static func file(of name: String, in searchPath: String) -> String? {
        if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
        for folder in searchPath.split(separator: ":") where access("\(folder)/\(name)", X_OK) == 0 {
            return "\(folder)/\(name)"
        }
        return nil
    }
}

/// A user of this machine with all groups.
package struct ChildUser: Sendable, Hashable {
    private static let groupsMax: Int32 = 256

    package let id: UInt32
    let group: UInt32
    let groups: [UInt32]

    /// Nil when the machine knows no such user.
    package init?(named name: String) {
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 * 1024)
        guard getpwnam_r(name, &record, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        var groups = [gid_t](repeating: 0, count: Int(Self.groupsMax))
        var count = Self.groupsMax
        guard getgrouplist(name, record.pw_gid, &groups, &count) >= 0 else { return nil }
        id = record.pw_uid
        group = record.pw_gid
        self.groups = Array(groups.prefix(Int(count)))
    }
}

/// How a program ended.
package enum ChildEnd: Sendable, Hashable {
    case exited(code: Int32)
    case signalled(Int32)
    /// It took too long and was killed with all of its process group.
    case timedOut
    /// It was told to stop, and killed when it did not.
    case stopped
    /// It did not begin; the text says why.
    case notStarted(String)
}
