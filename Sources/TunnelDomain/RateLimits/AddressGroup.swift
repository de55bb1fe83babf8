/// The IP addresses that count as one caller: an IPv4 address alone, an IPv6 address with its whole /64.
///
/// One subscriber commonly has a /64 to himself, so counting single IPv6 addresses would limit nobody. An IPv4 address
/// that is written as IPv6 (`::ffff:192.0.2.7`) is counted as what it is.
public enum AddressGroup: Hashable, Sendable {
    /// An IPv4 address, most significant byte first.
    case ipv4(UInt32)
    /// The first 64 bits of an IPv6 address.
    case ipv6(network: UInt64)
    /// Anything else, such as the peer of a Unix socket, by its text.
    case other(String)

    /// Takes an address as text, without a port; a scope after `%` is ignored.
    public init(_ address: String) {
        let bare = address.utf8.prefix { $0 != ASCII.percent }
        switch IPAddress(String(decoding: bare, as: UTF8.self)) {
        case .ipv4(let number): self = .ipv4(number)
        case .ipv6(let high, _): self = .ipv6(network: high)
        case nil: self = .other(address)
        }
    }
}
