/// Which addresses the service may call on behalf of others: those of the public internet.
///
/// A tenant names the URL, but the request comes from the service's machine, which reaches what the tenant cannot: itself,
/// its neighbours, and the metadata service of its host (OWASP API7:2023). The ranges are those of the IANA special-purpose
/// registries (RFC 6890) that are not globally reachable, and those that embed an IPv4 address.
package struct OutgoingAddressPolicy: Sendable, Hashable {
    /// The operator has allowed every address.
    package let allowsPrivate: Bool

    package init(allowsPrivate: Bool) { self.allowsPrivate = allowsPrivate }

    /// - Parameter address: an IP address as text; what is none is not allowed.
    package func allows(_ address: String) -> Bool {
        guard let bytes = IPBytes.parse(address) else { return false }
        if allowsPrivate { return true }
        if bytes.count == 4 { return !Self.reservedV4.contains { $0.contains(address) } }
        return Self.globalV6.contains(address) && !Self.reservedV6.contains { $0.contains(address) }
    }

    private static let reservedV4 = ranges([
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4",
    ])

    /// Global unicast; everything outside is loopback, link-local, unique-local, multicast, NAT64 or unassigned.
    private static let globalV6 = range("2000::/3")

    private static let reservedV6 = ranges(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"])

    private static func ranges(_ texts: [String]) -> [IPRange] { texts.map(range) }

    private static func range(_ text: String) -> IPRange {
        guard let range = IPRange(text) else { preconditionFailure("\(text) is no range of addresses") }
        return range
    }
}
