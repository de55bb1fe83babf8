/// Numbers written with the 62 ASCII digits and letters, most significant first, in a width that the size fixes.
///
/// Such texts survive a double click, a URL and a shell without quoting.
enum Base62 {
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    static func isDigit(_ byte: UInt8) -> Bool {
        ASCII.isLowerOrDigit(byte) || ASCII.isUpper(byte)
    }

    /// How many digits write any number of so many bytes: 22 for 16, 43 for 32. Good up to 1,000 bytes.
    static func digitCount(byteCount: Int) -> Int {
        // A digit carries log2(62) = 5.95419631… bits; round the count up.
        (byteCount * 8 * 100_000 + 595_418) / 595_419
    }

    /// Writes bytes as one number, with leading zeros up to the size's width.
    static func text(of bytes: [UInt8]) -> String {
        var number = bytes
        var reversed: [UInt8] = []
        for _ in 0..<digitCount(byteCount: bytes.count) {
            reversed.append(digits[Int(divide(&number, by: 62))])
        }
        return String(decoding: reversed.reversed(), as: UTF8.self)
    }

    /// Writes a 32-bit number in 6 digits.
    static func text(of number: UInt32) -> String {
        text(of: (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) })
    }

    /// Divides a number given as bytes, most significant first, and gives the remainder.
    private static func divide(_ number: inout [UInt8], by divisor: Int) -> Int {
        var remainder = 0
        for index in number.indices {
            let value = remainder << 8 | Int(number[index])
            number[index] = UInt8(value / divisor)
            remainder = value % divisor
        }
        return remainder
    }
}
