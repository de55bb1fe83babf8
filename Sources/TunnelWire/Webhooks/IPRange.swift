/// A range of IP addresses, `192.0.2.0/24` or `2001:db8::/32`; a single address is a range of one.
package struct IPRange: Sendable, Hashable {
    /// Four or sixteen bytes.
    private let bytes: [UInt8]
    private let bitCount: Int

    /// Nil when the text is no address, or its bits are more than the address has, or bits beyond them are set.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let bytes = IPBytes.parse(String(parts[0])) else { return nil }
        var bitCount = bytes.count * 8
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(parts[1]), count <= bitCount else {
                return nil
            }
            bitCount = count
        }
        self.bytes = bytes
        self.bitCount = bitCount
        guard Self.masked(bytes, bitCount) == bytes else { return nil }
    }

    /// An IPv4 address inside IPv6 (`::ffff:192.0.2.1`) counts as IPv4. What is no address is in no range.
    package func contains(_ address: String) -> Bool {
        guard let other = IPBytes.parse(address), other.count == bytes.count else { return false }
        return Self.masked(other, bitCount) == bytes
    }

    private static func masked(_ bytes: [UInt8], _ bitCount: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let bits = max(0, min(8, bitCount - index * 8))
            return bits == 0 ? 0 : byte & (0xFF << UInt8(8 - bits))
        }
    }
}

/// IP addresses as bytes.
package enum IPBytes {
    /// Four bytes for IPv4, also inside IPv6; sixteen for IPv6; nil for anything else.
    package static func parse(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        if IPText.isIPv4(characters.span) { return v4(Substring(text)) }
        guard IPText.isIPv6(characters.span) else { return nil }
        let bytes = v6(text)
        let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return isMapped ? Array(bytes.suffix(4)) : bytes
    }

    private static func v4(_ text: Substring) -> [UInt8] { text.split(separator: ".").compactMap { UInt8($0) } }

    private static func v6(_ text: String) -> [UInt8] {
        guard let gap = text.firstRange(of: "::") else { return groups(text[...]) }
        let (head, tail) = (groups(text[..<gap.lowerBound]), groups(text[gap.upperBound...]))
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: Substring) -> [UInt8] {
        text.split(separator: ":").flatMap { group -> [UInt8] in
            if group.contains(".") { return v4(group) }
            let value = UInt16(group, radix: 16) ?? 0
            return [UInt8(value >> 8), UInt8(value & 0xFF)]
        }
    }
}
