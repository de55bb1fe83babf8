internal import CLinux
internal import Glibc

/// Tells that the machine's network has changed: a link, an address or a route came or went (rtnetlink(7)).
package final class NetworkWatch: IOHandler {
    private let descriptor: FileDescriptor
    private let changed: () -> Void
    private var registration: IORegistration?

    /// Watches on the loop; fails where the system has no such socket or does not let this process have one.
    ///
    /// - Parameter changed: called once for all that has gathered. It says that something is different, not what.
    package init(on loop: Loop, changed: @escaping () -> Void) throws(IOError) {
        let number = socket(
            AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), Int32(NETLINK_ROUTE))
        guard number >= 0 else { throw .last("socket") }
        descriptor = FileDescriptor(number: number)
        self.changed = changed
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = UInt32(
            RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        guard result == 0 else { throw .last("bind") }
        registration = try loop.register(number, handler: self)
    }

    package func stop(on loop: Loop) {
        if let registration { loop.deregister(registration, descriptor.number) }
        registration = nil
    }

    package func ioReady(_ readiness: IOReadiness) {
        guard registration != nil else { return }
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        var hasHeard = false
        while true {
            let count = recv(descriptor.number, &buffer, buffer.count, 0)
            // Messages that were lost for want of room (ENOBUFS) are a change as well.
            guard count > 0 || (count < 0 && (errno == ENOBUFS || errno == EINTR)) else { break }
            hasHeard = true
        }
        if hasHeard { changed() }
    }
}
