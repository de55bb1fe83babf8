internal import Glibc
internal import LinuxIO

/// From names to addresses.
enum HostResolution {
    /// The addresses of a host, in the order in which to try them; empty when there are none.
    ///
    /// `localhost` and the names under it are loopback by definition (RFC 6761 §6.3) and are not looked up.
    static func addresses(of host: String, port: Int) async -> [SocketAddress] {
        if let known = immediate(host, port: port) { return known }
        return await Task.detached { lookUp(host, port: port) }.value
    }

    /// The addresses that are known without asking: of `localhost`.
    static func immediate(_ host: String, port: Int) -> [SocketAddress]? {
        guard host == "localhost" || host.hasSuffix(".localhost"), let port = UInt16(exactly: port) else { return nil }
        let v6 = [UInt8](repeating: 0, count: 15) + [1]
        return [SocketAddress(ip: .v4([127, 0, 0, 1]), port: port), SocketAddress(ip: .v6(v6), port: port)]
    }

    /// Asks the system, which understands every spelling of an address (`127.1`, `0x7f.1`) and looks names up; it may block.
    static func lookUp(_ host: String, port: Int) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let list else { return [] }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        for entry in sequence(first: list, next: { $0.pointee.ai_next }) {
            guard let address = address(entry.pointee, port: port), !found.contains(address) else { continue }
            found.append(address)
        }
        return found
    }

    private static func address(_ entry: addrinfo, port: Int) -> SocketAddress? {
        guard let raw = entry.ai_addr, let port = UInt16(exactly: port) else { return nil }
        switch entry.ai_family {
        case AF_INET:
            return raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
                withUnsafeBytes(of: pointer.pointee.sin_addr) { SocketAddress(ip: .v4(Array($0)), port: port) }
            }
        case AF_INET6:
            return raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
                withUnsafeBytes(of: pointer.pointee.sin6_addr) { SocketAddress(ip: .v6(Array($0)), port: port) }
            }
        default: return nil
        }
    }
}
