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
        let bytes = Array(address.utf8.prefix { $0 != ASCII.percent })
        if let number = Self.ipv4(bytes[...]) {
            self = .ipv4(number)
        } else if let groups = Self.ipv6Groups(bytes) {
            self = Self.group(of: groups)
        } else {
            self = .other(address)
        }
    }

    private static func group(of groups: [UInt16]) -> AddressGroup {
        if groups[..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF {
            return .ipv4(UInt32(groups[6]) << 16 | UInt32(groups[7]))
        }
        return .ipv6(network: groups[..<4].reduce(0) { $0 << 16 | UInt64($1) })
    }

    /// Reads four decimal numbers, none with a leading zero: `010` means 8 to some readers and 10 to others.
    private static func ipv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: ASCII.dot, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ ASCII.isDigit($0) }) else { return nil }
            guard part.count == 1 || part.first != ASCII.zero else { return nil }
            let value = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - ASCII.zero) }
            guard value <= 255 else { return nil }
            number = number << 8 | value
        }
        return number
    }

    /// Reads eight groups, `::` standing for the missing ones (RFC 4291 section 2.2).
    private static func ipv6Groups(_ bytes: [UInt8]) -> [UInt16]? {
        guard let gap = firstGap(of: bytes) else {
            guard let groups = groups(bytes[...]), groups.count == 8 else { return nil }
            return groups
        }
        guard let before = groups(bytes[..<gap]), let after = groups(bytes[(gap + 2)...]), before.count + after.count <= 7
        else { return nil }
        return before + [UInt16](repeating: 0, count: 8 - before.count - after.count) + after
    }

    private static func firstGap(of bytes: [UInt8]) -> Int? {
        bytes.indices.dropLast().first { bytes[$0] == ASCII.colon && bytes[$0 + 1] == ASCII.colon }
    }

    /// Reads groups between colons; the last may be an IPv4 address and makes two.
    private static func groups(_ bytes: ArraySlice<UInt8>) -> [UInt16]? {
        if bytes.isEmpty { return [] }
        let parts = bytes.split(separator: ASCII.colon, omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (position, part) in parts.enumerated() {
            if position == parts.count - 1, let number = ipv4(part) {
                groups += [UInt16(number >> 16), UInt16(truncatingIfNeeded: number)]
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var value: UInt16 = 0
            for byte in part {
                guard let digit = Hexadecimal.value(of: byte) else { return nil }
                value = value << 4 | UInt16(digit)
            }
            groups.append(value)
        }
        return groups
    }
}
