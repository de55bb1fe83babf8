internal import CLinux
internal import Glibc

/// The socket calls that the transports need, all non-blocking and close-on-exec.
package enum Socket {
    /// The kernel keeps at most this many connections that nobody accepted yet.
    package static let backlogMax: Int32 = 4096
    /// Bytes that the kernel takes of a connection beyond what it has put on the wire. More would only hide from us that the
    /// peer reads slowly, and let small messages wait behind large ones.
    package static let unsentByteCountMax: Int32 = 128 * 1024

    /// Opens a listening socket. An address in use is an error: nothing else may share the port.
    package static func listen(on address: SocketAddress) throws(IOError) -> FileDescriptor {
        let descriptor = try open(for: address)
        try set(descriptor.number, SOL_SOCKET, SO_REUSEADDR, 1)
        if case .v6 = address.ip { try set(descriptor.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        guard address.withSockaddr({ bind(descriptor.number, $0, $1) }) == 0 else { throw .last("bind") }
        guard Glibc.listen(descriptor.number, backlogMax) == 0 else { throw .last("listen") }
        return descriptor
    }

    /// Begins to connect; the socket turns writable when the outcome is known (`connectOutcome`).
    package static func connect(to address: SocketAddress) throws(IOError) -> FileDescriptor {
        let descriptor = try open(for: address)
        tune(descriptor.number)
        let result = address.withSockaddr { Glibc.connect(descriptor.number, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else { throw .last("connect") }
        return descriptor
    }

    /// Connects to the stream socket at this path of the file system; it is connected at once or not at all.
    package static func connect(toSocketAt path: String) throws(IOError) -> FileDescriptor {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        // One byte stays for the NUL.
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw IOError(code: ENAMETOOLONG, operation: "connect")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw .last("socket") }
        let descriptor = FileDescriptor(number: number)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw .last("connect") }
        return descriptor
    }

    /// Sends one datagram to the socket at this path, or, when the path begins with `@`, to the abstract socket of that name;
    /// what nobody takes at once is lost.
    package static func sendDatagram(_ bytes: [UInt8], toSocketAt path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        guard !name.isEmpty, name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return }
        let descriptor = FileDescriptor(number: number)
        let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map { $0 + name.count } ?? 0
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(
                    descriptor.number, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0,
                    socklen_t(length))
            }
        }
    }

    /// What became of a connect that was in progress; nil if it worked.
    package static func connectOutcome(_ number: Int32) -> IOError? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return .last("getsockopt") }
        return code == 0 ? nil : IOError(code: code, operation: "connect")
    }

    package enum AcceptStep: ~Copyable {
        case accepted(FileDescriptor, from: SocketAddress)
        /// Nobody is waiting.
        case none
        /// The caller went away while waiting: try again.
        case vanished
        /// The process or the system is out of descriptors or memory: wait before trying again.
        case exhausted
    }

    package static func accept(_ listener: Int32) -> AcceptStep {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let number = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                culvert_accept4(listener, $0, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
            }
        }
        guard number >= 0 else {
            switch errno {
            case EAGAIN: return .none
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
            default: return .vanished
            }
        }
        tune(number)
        return .accepted(FileDescriptor(number: number), from: SocketAddress(storage) ?? .loopback(port: 0))
    }

    /// The address that the socket is bound to: tells the port when the system chose it.
    package static func localAddress(_ number: Int32) throws(IOError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
        }
        guard result == 0, let address = SocketAddress(storage) else { throw .last("getsockname") }
        return address
    }

    package enum Transfer: Equatable {
        case moved(byteCount: Int)
        case wouldBlock
        /// The peer sent its last byte.
        case ended
        case failed(IOError)
    }

    package static func receive(_ number: Int32, into buffer: UnsafeMutableRawBufferPointer, peek: Bool = false) -> Transfer {
        while true {
            let count = recv(number, buffer.baseAddress, buffer.count, peek ? Int32(MSG_PEEK) : 0)
            if count > 0 { return .moved(byteCount: count) }
            if count == 0 { return .ended }
            if errno == EAGAIN { return .wouldBlock }
            if errno != EINTR { return .failed(.last("recv")) }
        }
    }

    package static func send(_ number: Int32, _ buffer: UnsafeRawBufferPointer) -> Transfer {
        while true {
            let count = Glibc.send(number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .moved(byteCount: count) }
            if errno == EAGAIN { return .wouldBlock }
            if errno != EINTR { return .failed(.last("send")) }
        }
    }

    /// Tells the peer that no more bytes come.
    package static func shutdownWrite(_ number: Int32) { _ = shutdown(number, Int32(SHUT_WR)) }

    /// Has the kernel ask a silent peer for a sign of life, so that one that vanished without a word does not stay for ever.
    package static func keepAlive(_ number: Int32, idleSeconds: Int32, intervalSeconds: Int32, probesMax: Int32) {
        try? set(number, SOL_SOCKET, SO_KEEPALIVE, 1)
        try? set(number, Int32(IPPROTO_TCP), TCP_KEEPIDLE, idleSeconds)
        try? set(number, Int32(IPPROTO_TCP), TCP_KEEPINTVL, intervalSeconds)
        try? set(number, Int32(IPPROTO_TCP), TCP_KEEPCNT, probesMax)
    }

    /// Makes the coming close drop what the kernel still holds, and reset the connection.
    package static func dropOnClose(_ number: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Sends small messages at once, and bounds what the kernel keeps. Neither fails on a TCP socket, and neither is needed.
    private static func tune(_ number: Int32) {
        try? set(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        try? set(number, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, unsentByteCountMax)
    }

    private static func open(for address: SocketAddress) throws(IOError) -> FileDescriptor {
        let family: Int32
        switch address.ip {
        case .v4: family = AF_INET
        case .v6: family = AF_INET6
        }
        let number = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw .last("socket") }
        return FileDescriptor(number: number)
    }

    private static func set(_ number: Int32, _ level: Int32, _ option: Int32, _ value: Int32) throws(IOError) {
        var value = value
        guard setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw .last("setsockopt")
        }
    }
}
