/// Bytes written as two lower-case hexadecimal digits each.
enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(of bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes { append(byte, to: &text) }
        return String(decoding: text, as: UTF8.self)
    }

    static func append(_ byte: UInt8, to text: inout [UInt8]) {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 0xF)])
    }

    /// The value of a digit in either case, or nil.
    static func value(of byte: UInt8) -> UInt8? {
        if ASCII.isDigit(byte) { return byte - ASCII.zero }
        let letter = ASCII.lowercased(byte)
        return (0x61...0x66).contains(letter) ? letter - 0x61 + 10 : nil
    }

    /// Whether the byte is a digit that ``text(of:)`` writes: `0-9` or `a-f`.
    static func isLowerDigit(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || (0x61...0x66).contains(byte)
    }
}
