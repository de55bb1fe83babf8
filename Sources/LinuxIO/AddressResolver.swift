internal import CLinux
internal import Glibc

/// Names to addresses, as the system resolves them.
package enum AddressResolver {
    /// A name that has no address, with the system's words.
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package let host: String
        package let reason: String
        package var description: String { "“\(host)” cannot be resolved: \(reason)" }
    }

    /// Every address of the host in the system's order of preference; blocks, so never call it on a loop.
    ///
    /// `localhost` and names under it are loopback without asking anyone (RFC 6761 §6.3).
    package static func resolve(_ host: String, port: UInt16) throws(Failure) -> [SocketAddress] {
        let name = host.lowercased()
        if name == "localhost" || name.hasSuffix(".localhost") {
            return [.loopback(port: port), SocketAddress(ip: .v6([UInt8](repeating: 0, count: 15) + [1]), port: port)]
        }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { throw Failure(host: host, reason: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next {
            var storage = sockaddr_storage()
            if let address = entry.pointee.ai_addr {
                withUnsafeMutableBytes(of: &storage) {
                    $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(entry.pointee.ai_addrlen)))
                }
                if let address = SocketAddress(storage), !found.contains(address) { found.append(address) }
            }
            next = entry.pointee.ai_next
        }
        guard !found.isEmpty else { throw Failure(host: host, reason: "it has no IP address") }
        return found
    }
}
