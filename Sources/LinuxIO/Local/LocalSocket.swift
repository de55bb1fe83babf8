internal import CLinux
internal import Glibc
internal import Synchronization

/// Sockets between processes of this machine. Those that keep messages whole carry open descriptors beside them.
package enum LocalSocket {
    /// What goes through a socket.
    package enum Kind {
        /// Messages, each received as it was sent.
        case messages
        /// Bytes, for `Socket.receive` and `Socket.send`; any program can speak that.
        case bytes

        fileprivate var type: Int32 {
            switch self {
            case .messages: Int32(SOCK_SEQPACKET.rawValue)
            case .bytes: Int32(SOCK_STREAM.rawValue)
            }
        }
    }

    /// Bytes of a message; a larger one is refused by both ends.
    package static let messageByteCountMax = 64 * 1024
    /// Descriptors beside one message: the kernel takes no more.
    package static let descriptorCountMax = Int(CULVERT_DESCRIPTORS_MAX)
    /// How long a send waits for a peer that does not read, before it fails.
    static let sendMillisecondsMax: Int32 = 1_000

    /// Listens at the path, which only its owner may connect to, in place of whatever was there.
    package static func listen(at path: String, for kind: Kind = .messages) throws(IOError) -> FileDescriptor {
        let descriptor = try open(kind)
        // The mode of the file that bind makes.
        guard fchmod(descriptor.number, 0o600) == 0 else { throw .last("fchmod") }
        // Bound under another name and moved: nobody finds the place empty, or half done.
        let draft = path + ".new"
        unlink(draft)
        try reach(draft, "bind") { culvert_bind_local(descriptor.number, $0) }
        guard Glibc.listen(descriptor.number, 16) == 0 else { throw .last("listen") }
        guard rename(draft, path) == 0 else { throw .last("rename") }
        return descriptor
    }

    /// Connects to whoever listens at the path.
    package static func connect(to path: String) throws(IOError) -> FileDescriptor {
        let descriptor = try open(.messages)
        try reach(path, "connect") { culvert_connect_local(descriptor.number, $0) }
        return descriptor
    }

    /// The next connection, or nil when nobody waits.
    package static func accept(_ listener: Int32) -> FileDescriptor? {
        let number = culvert_accept4(listener, nil, nil, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
        return number < 0 ? nil : FileDescriptor(number: number)
    }

    /// Two ends of a connection for bytes; both are the caller's to close.
    package static func pair() throws(IOError) -> (near: Int32, far: Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let result = withUnsafeMutablePointer(to: &ends) { pointer in
            pointer.withMemoryRebound(to: Int32.self, capacity: 2) { socketpair(AF_UNIX, type, 0, $0) }
        }
        guard result == 0 else { throw .last("socketpair") }
        return (ends.0, ends.1)
    }

    /// The user and the process at the other end, as the kernel says; nil when it does not.
    package static func peer(of number: Int32) -> (userID: UInt32, processID: Int32)? {
        var user: UInt32 = 0
        var process: Int32 = 0
        return culvert_peer(number, &user, &process) == 0 ? (user, process) : nil
    }

    /// Sends a message whole, with copies of the descriptors.
    package static func send(_ bytes: [UInt8], descriptors: [Int32], on number: Int32) throws(IOError) {
        precondition(bytes.count <= messageByteCountMax && descriptors.count <= descriptorCountMax, "bounded by the caller")
        while true {
            let count = bytes.withUnsafeBytes { room in
                culvert_send_message(number, room.baseAddress, room.count, descriptors, Int32(descriptors.count))
            }
            if count >= 0 { return }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                var wish = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                guard poll(&wish, 1, sendMillisecondsMax) == 1 else { throw IOError(code: ETIMEDOUT, operation: "sendmsg") }
            default: throw .last("sendmsg")
            }
        }
    }

    package enum Receipt {
        case message([UInt8], ReceivedDescriptors)
        case wouldBlock
        /// The other end was closed, or its process has died.
        case ended
        case failed(IOError)
    }

    package static func receive(on number: Int32) -> Receipt {
        var bytes = [UInt8](repeating: 0, count: messageByteCountMax)
        var numbers = [Int32](repeating: -1, count: descriptorCountMax)
        while true {
            var descriptorCount: Int32 = 0
            let count = culvert_receive_message(number, &bytes, bytes.count, &numbers, &descriptorCount)
            if count > 0 {
                let received = ReceivedDescriptors(Array(numbers.prefix(Int(descriptorCount))))
                return .message(Array(bytes.prefix(count)), received)
            }
            if count == 0 { return .ended }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case ECONNRESET: return .ended
            default: return .failed(.last("recvmsg"))
            }
        }
    }

    private static func open(_ kind: Kind) throws(IOError) -> FileDescriptor {
        let number = socket(AF_UNIX, kind.type | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw .last("socket") }
        return FileDescriptor(number: number)
    }

    /// Goes through a descriptor of the folder, because a socket's address holds only 107 bytes of path.
    private static func reach(_ path: String, _ what: String, _ call: (String) -> Int32) throws(IOError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[...$0]) } ?? "./"
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let number = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw .last("open") }
        let place = FileDescriptor(number: number)
        guard call("/proc/self/fd/\(place.number)/\(name)") == 0 else { throw .last(what) }
    }
}

/// Descriptors that came with a message; those that nobody takes are closed.
package final class ReceivedDescriptors: Sendable {
    private let numbers: Mutex<[Int32]>
    package let count: Int

    init(_ numbers: [Int32]) {
        count = numbers.count
        self.numbers = Mutex(numbers)
    }

    deinit { for number in numbers.withLock({ $0 }) where number >= 0 { close(number) } }

    /// The descriptor at this place, which is the caller's from now on; nil when there is none, or it was taken.
    package func take(_ index: Int) -> FileDescriptor? {
        let number = numbers.withLock { numbers -> Int32 in
            guard numbers.indices.contains(index) else { return -1 }
            let number = numbers[index]
            numbers[index] = -1
            return number
        }
        return number < 0 ? nil : FileDescriptor(number: number)
    }
}
