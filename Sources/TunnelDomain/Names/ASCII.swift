/// The ASCII bytes that the rules speak of.
enum ASCII {
    static let percent: UInt8 = 0x25
    static let asterisk: UInt8 = 0x2A
    static let plus: UInt8 = 0x2B
    static let minus: UInt8 = 0x2D
    static let dot: UInt8 = 0x2E
    static let zero: UInt8 = 0x30
    static let colon: UInt8 = 0x3A
    static let at: UInt8 = 0x40
    static let underscore: UInt8 = 0x5F
    static let upperT: UInt8 = 0x54
    static let upperZ: UInt8 = 0x5A

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
    static func isLowerOrDigit(_ byte: UInt8) -> Bool { isLower(byte) || isDigit(byte) }

    /// The byte with A–Z folded to a–z.
    static func lowercased(_ byte: UInt8) -> UInt8 { isUpper(byte) ? byte | 0x20 : byte }

    static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.lazy.map { lowercased($0) }, as: UTF8.self)
    }
}
