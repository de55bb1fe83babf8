internal import LinuxIO

/// From a target to the addresses that may be connected to.
enum TargetResolution {
    /// Every address of the target, all of them checked against the policy; may block on a name.
    static func resolve(_ target: AgentTarget, policy: TargetAddressPolicy) throws(TargetRefusal) -> [SocketAddress] {
        try policy.check(addresses(of: target.host, port: target.port), of: target)
    }

    /// Every address of a host; empty when it has none.
    static func addresses(of host: String, port: Int) -> [SocketAddress] {
        guard let port = UInt16(exactly: port) else { return [] }
        // A literal needs no resolver, which might filter it by what the network has at the moment.
        if let ip = SocketAddress.IP(v4: host) ?? SocketAddress.IP(v6: host) { return [SocketAddress(ip: ip, port: port)] }
        return (try? AddressResolver.resolve(host, port: port)) ?? []
    }
}
