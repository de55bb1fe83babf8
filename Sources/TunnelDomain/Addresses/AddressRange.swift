/// A range of IP addresses in CIDR notation (RFC 4632, RFC 4291 section 2.3): `192.0.2.0/24` or `2001:db8::/32`.
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// The range's first address.
    public let network: IPAddress
    /// How many leading bits all of its addresses share: 0 to 32, or to 128.
    public let prefixLength: Int

    /// Takes a range as text; a single address is a range of one.
    ///
    /// A range of IPv4 addresses that is written as IPv6 (`::ffff:192.0.2.0/120`) is taken for what it is.
    /// - Throws: which rule the text breaks.
    public init(validating text: String) throws(AddressRangeError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let bytes = Array(String(parts[0]).utf8)
        let address: IPAddress
        var isMapped = false
        if let number = IPAddress.ipv4(bytes[...]) {
            address = .ipv4(number)
        } else if let groups = IPAddress.ipv6Groups(bytes) {
            isMapped = IPAddress.isMapped(groups)
            address = IPAddress.address(of: groups)
        } else {
            throw .noAddress
        }
        let length = parts.count == 2 ? try Self.length(parts[1], upTo: address.bitCount) : address.bitCount
        guard address.masked(to: length) == address else {
            throw .bitsBehindPrefix(meant: "\(address.masked(to: length))/\(length)")
        }
        if isMapped, length >= Self.mappedPrefixLength, case .ipv6(_, let low) = address {
            network = .ipv4(UInt32(truncatingIfNeeded: low))
            prefixLength = length - Self.mappedPrefixLength
        } else {
            network = address
            prefixLength = length
        }
    }

    /// The bits in front of an IPv4 address that is written as IPv6.
    private static let mappedPrefixLength = 96

    private static func length(_ text: Substring, upTo max: Int) throws(AddressRangeError) -> Int {
        let isNumber = (1...3).contains(text.utf8.count) && text.utf8.allSatisfy { ASCII.isDigit($0) }
        guard isNumber, text.utf8.count == 1 || text.utf8.first != ASCII.zero, let length = Int(text), length <= max else {
            throw .badPrefixLength(max: max)
        }
        return length
    }

    /// Whether the address is in the range; one of the other version of IP is in none.
    public func contains(_ address: IPAddress) -> Bool {
        address.bitCount == network.bitCount && address.masked(to: prefixLength) == network
    }

    /// Whether every address of the other range is in this one.
    public func contains(_ other: AddressRange) -> Bool { other.prefixLength >= prefixLength && contains(other.network) }

    /// The range as it is written everywhere, always with its prefix length.
    public var text: String { "\(network)/\(prefixLength)" }
    public var description: String { text }
}

/// The rule that a text breaks, so that it is no range of addresses.
public enum AddressRangeError: Error, Hashable, Sendable {
    /// What stands before the `/` is no IPv4 or IPv6 address; names and zones (`%eth0`) are none.
    case noAddress
    /// What stands behind the `/` is no number from 0 to so many bits.
    case badPrefixLength(max: Int)
    /// Bits are set that the prefix does not cover: it cannot be told what was meant.
    case bitsBehindPrefix(meant: String)

    /// What is wrong and what would be right, in one sentence for people.
    public var explanation: String {
        switch self {
        case .noAddress: "It is no range of IP addresses; send one such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7."
        case .badPrefixLength(let max): "Behind the / must stand a whole number of bits from 0 to \(max)."
        case .bitsBehindPrefix(let meant): "The address has bits behind its prefix; \(meant) is the range that it lies in."
        }
    }
}
