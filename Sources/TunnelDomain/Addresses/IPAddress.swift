/// An IP address as a number. An IPv4 address that is written as IPv6 (`::ffff:192.0.2.7`, RFC 4291 section 2.5.5.2) is
/// taken for what it is.
public enum IPAddress: Hashable, Sendable {
    /// Most significant byte first.
    case ipv4(UInt32)
    case ipv6(high: UInt64, low: UInt64)

    /// Takes an address as text, without port and zone; anything else gives nil.
    ///
    /// No number of an IPv4 address has a leading zero: `010` means 8 to some readers and 10 to others.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        if let number = Self.ipv4(bytes[...]) {
            self = .ipv4(number)
        } else if let groups = Self.ipv6Groups(bytes) {
            self = Self.isMapped(groups) ? .ipv4(UInt32(groups[6]) << 16 | UInt32(groups[7])) : Self.address(of: groups)
        } else {
            return nil
        }
    }

    /// How many bits such an address has: 32 or 128.
    public var bitCount: Int {
        switch self {
        case .ipv4: 32
        case .ipv6: 128
        }
    }

    /// The address with every bit behind the first so many cleared; the count is 0 to ``bitCount`` (a precondition).
    func masked(to count: Int) -> IPAddress {
        precondition((0...bitCount).contains(count), "a prefix is no longer than its address")
        switch self {
        case .ipv4(let number): return .ipv4(count == 0 ? 0 : number & (.max << UInt32(32 - count)))
        case .ipv6(let high, let low):
            let (ofHigh, ofLow) = (min(count, 64), max(count - 64, 0))
            return .ipv6(
                high: ofHigh == 0 ? 0 : high & (.max << UInt64(64 - ofHigh)),
                low: ofLow == 0 ? 0 : low & (.max << UInt64(64 - ofLow)))
        }
    }
}

// MARK: - Text

extension IPAddress: CustomStringConvertible {
    /// The address as it is written everywhere: for IPv6 the one form of RFC 5952 section 4.
    public var text: String {
        switch self {
        case .ipv4(let number): (0..<4).map { String(number >> UInt32(24 - 8 * $0) & 0xFF) }.joined(separator: ".")
        case .ipv6(let high, let low): Self.text(of: Self.groups(of: high) + Self.groups(of: low))
        }
    }

    public var description: String { text }

    private static func groups(of half: UInt64) -> [UInt16] {
        (0..<4).map { UInt16(truncatingIfNeeded: half >> UInt64(48 - 16 * $0)) }
    }

    private static func text(of groups: [UInt16]) -> String {
        let words = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard let gap = longestGap(of: groups) else { return words(groups[...]) }
        return words(groups[..<gap.lowerBound]) + "::" + words(groups[gap.upperBound...])
    }

    /// The first of the longest runs of zeros; one zero alone is no run.
    private static func longestGap(of groups: [UInt16]) -> Range<Int>? {
        var longest = 0..<1
        for start in groups.indices {
            let length = groups[start...].prefix { $0 == 0 }.count
            if length > longest.count { longest = start..<start + length }
        }
        return longest.count > 1 ? longest : nil
    }
}

// MARK: - Parsing

extension IPAddress {
    static func address(of groups: [UInt16]) -> IPAddress {
        let number = { (half: ArraySlice<UInt16>) in half.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
        return .ipv6(high: number(groups[..<4]), low: number(groups[4...]))
    }

    /// Whether the groups are an IPv4 address.
    static func isMapped(_ groups: [UInt16]) -> Bool { groups[..<5].allSatisfy { $0 == 0 } && groups[5] == 0xFFFF }

    /// Reads four decimal numbers, none with a leading zero.
    static func ipv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
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
    static func ipv6Groups(_ bytes: [UInt8]) -> [UInt16]? {
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
