/// A universally unique identifier of 128 bits (RFC 9562), as a plain value.
public struct UUIDValue: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The first eight bytes, most significant first.
    public let high: UInt64
    /// The last eight bytes, most significant first.
    public let low: UInt64

    /// Takes 128 bits as they are, whatever version they say.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a random identifier (version 4, RFC 9562 section 5.4) of 16 random bytes.
    ///
    /// - Precondition: there are exactly 16 bytes.
    public init(randomBytes: [UInt8]) {
        precondition(randomBytes.count == 16, "a UUID is made of 16 bytes")
        high = Self.number(randomBytes[0..<8]) & ~0xF000 | 0x4000
        low = Self.number(randomBytes[8..<16]) & ~(0b11 << 62) | 0b10 << 62
    }

    /// Reads 32 hexadecimal digits in groups of 8-4-4-4-12, in either case; anything else gives nil.
    public init?(_ text: String) {
        var halves: (UInt64, UInt64) = (0, 0)
        var digitCount = 0
        for (offset, byte) in text.utf8.enumerated() {
            if [8, 13, 18, 23].contains(offset) {
                guard byte == ASCII.minus else { return nil }
                continue
            }
            guard digitCount < 32, let digit = Hexadecimal.value(of: byte) else { return nil }
            if digitCount < 16 { halves.0 = halves.0 << 4 | UInt64(digit) } else { halves.1 = halves.1 << 4 | UInt64(digit) }
            digitCount += 1
        }
        guard digitCount == 32 else { return nil }
        self.init(high: halves.0, low: halves.1)
    }

    /// The identifier in lower-case hexadecimal, in groups of 8-4-4-4-12.
    public var text: String {
        var digits: [UInt8] = []
        digits.reserveCapacity(36)
        for (offset, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(offset) { digits.append(ASCII.minus) }
            Hexadecimal.append(byte, to: &digits)
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// The 16 bytes, most significant first.
    public var bytes: [UInt8] {
        [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
    }

    public var description: String { text }

    public static func < (left: UUIDValue, right: UUIDValue) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
