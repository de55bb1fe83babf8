internal import LinuxIO

/// Where a target can be connected to, once its name is looked up.
enum TargetAddress: Sendable, Hashable {
    case ip(SocketAddress)
    case unixSocket(path: String)
}

/// From a target to the addresses that may be connected to.
enum TargetResolution {
    /// Every address of the target, all of them checked against the policy; may block on a name.
    static func resolve(_ target: AgentTarget, policy: TargetAddressPolicy) throws(TargetRefusal) -> [TargetAddress] {
        switch target.endpoint {
        case .tcp(let host, let port): try policy.check(addresses(of: host, port: port), of: host).map { .ip($0) }
        // A Unix socket is this machine's own.
        case .unixSocket(let path): [.unixSocket(path: path)]
        }
    }

    /// Every address of a host; empty when it has none.
    static func addresses(of host: String, port: Int) -> [SocketAddress] {
        guard let port = UInt16(exactly: port) else { return [] }
        // A literal needs no resolver, which might filter it by what the network has at the moment.
        if let ip = SocketAddress.IP(v4: host) ?? SocketAddress.IP(v6: host) { return [SocketAddress(ip: ip, port: port)] }
        return (try? AddressResolver.resolve(host, port: port)) ?? []
    }
}
