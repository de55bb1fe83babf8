internal import LinuxIO

/// Which addresses an agent may forward to.
///
/// The check is made on every address that a name resolves to, after resolution, so that no spelling of an address and no
/// name that changes its mind gets around it.
public enum TargetAddressPolicy: Sendable, Hashable {
    /// 127.0.0.0/8, `::1`, and the same written as IPv4 inside IPv6.
    case loopbackOnly
    /// Any unicast address: the operator has asked for it.
    case anywhere
}

extension TargetAddressPolicy {
    /// Looks the target up and checks every address; an agent does the same when it starts. It may block on a name.
    public func check(_ target: AgentTarget) throws(TargetRefusal) {
        _ = try TargetResolution.resolve(target, policy: self)
    }

    func allows(_ ip: SocketAddress.IP) -> Bool {
        switch self {
        case .loopbackOnly: ip.isLoopback
        case .anywhere: true
        }
    }

    /// The addresses when all of them are allowed.
    ///
    /// One that is not spoils them all: a name that means this machine and another one is a trick or a mistake.
    func check(_ addresses: [SocketAddress], of host: String) throws(TargetRefusal) -> [SocketAddress] {
        guard !addresses.isEmpty else { throw .unknownHost(host) }
        for address in addresses where !allows(address.ip) {
            throw .notLoopback(host: host, address: "\(address.ip)")
        }
        return addresses
    }
}

/// Why a target may not be forwarded to.
public enum TargetRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    case unknownHost(String)
    /// The host is, or resolves to, an address of another machine.
    case notLoopback(host: String, address: String)

    public var description: String {
        switch self {
        case .unknownHost(let host): "the target host \"\(host)\" does not resolve to an address; check its spelling"
        case .notLoopback(let host, let address):
            "the target \(host) is \(address), which is not this machine; everything on the internet could reach it "
                + "through the tunnel. If that is what you want, allow it with --allow-remote"
        }
    }
}
