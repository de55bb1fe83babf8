internal import CLinux
internal import Glibc
internal import Synchronization
internal import TunnelDomain

/// A lock on a file that a program inherits and keeps for as long as it or any descendant lives.
///
/// It outlives the process that took it: whoever comes after can tell that the program still runs, and end it. Process ids
/// cannot do that, because they are used again.
package final class ProcessLock: Sendable {
    package let path: String
    private let held: Mutex<Int32>

    private init(descriptor: Int32, path: String) {
        held = Mutex(descriptor)
        self.path = path
    }

    /// What programs inherit; -1 after the release.
    var descriptor: Int32 { held.withLock { $0 } }

    /// Lets go of the lock; programs that inherited it go on holding it.
    package func release() {
        held.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    /// Takes the lock; nil when a program still holds it, or the file cannot be made.
    package static func take(_ path: String) -> ProcessLock? {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return nil }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            return nil
        }
        return ProcessLock(descriptor: file, path: path)
    }

    deinit { release() }

    /// Kills every process that holds the file open, until nobody holds its lock; then removes the file. Blocks, so never call
    /// it on a loop.
    ///
    /// - Returns: false when somebody still holds it after the time, such as a process that waits in the kernel.
    package static func clear(_ path: String, within limit: Duration = .seconds(10)) -> Bool {
        let end = Loop.readClock() + limit
        while true {
            let file = open(path, O_RDWR | O_CLOEXEC)
            guard file >= 0 else { return true }
            let isFree = flock(file, LOCK_EX | LOCK_NB) == 0
            if isFree { unlink(path) }
            close(file)
            if isFree { return true }
            for id in holders(of: path) { kill(id, SIGKILL) }
            guard Loop.readClock() < end else { return false }
            usleep(5_000)
        }
    }

    /// The processes, this one left out, that have the file open.
    private static func holders(of path: String) -> [Int32] {
        guard let resolved = realpath(path, nil) else { return [] }
        defer { free(resolved) }
        let wanted = String(cString: resolved)
        let own = link("/proc/self/exe")
        return names(in: "/proc").compactMap { Int32($0) }.filter { id in
            guard id != getpid() else { return false }
            return names(in: "/proc/\(id)/fd").contains { descriptor in
                link("/proc/\(id)/fd/\(descriptor)") == wanted && holds(id, descriptor, wanted, own: own)
            }
        }
    }

    /// A child of this process between fork and exec has a copy of every descriptor, most of which exec closes: such a copy
    /// holds nothing. The file is looked at last, because exec may come between these looks.
    private static func holds(_ id: Int32, _ descriptor: String, _ wanted: String, own: String?) -> Bool {
        guard let closesOnExec = closesOnExec(id, descriptor) else { return false }
        if closesOnExec, link("/proc/\(id)/exe") == own { return false }
        return link("/proc/\(id)/fd/\(descriptor)") == wanted
    }

    private static func link(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &target, target.count)
        guard count > 0 else { return nil }
        return String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Nil when the descriptor is not there any more.
    private static func closesOnExec(_ id: Int32, _ descriptor: String) -> Bool? {
        let file = open("/proc/\(id)/fdinfo/\(descriptor)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(file, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags:") }),
            let flags = Int32(line.dropFirst(6).drop { $0 == " " || $0 == "\t" }, radix: 8)
        else { return nil }
        return flags & O_CLOEXEC != 0
    }

    /// The names of a folder's entries; empty when it cannot be read.
    package static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
