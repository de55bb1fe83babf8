/// Says of text that comes in pieces whether it is UTF-8 (RFC 3629), at the first byte that makes it impossible.
struct UTF8Check: Sendable {
    /// How many continuation bytes are still due.
    private var due = 0
    /// What the next continuation byte may be: narrower behind some lead bytes, to keep out overlong forms and surrogates.
    private var allowed: ClosedRange<UInt8> = 0x80...0xBF

    /// Whether the text so far ends between two characters.
    var isComplete: Bool { due == 0 }

    /// False as soon as no continuation could make it UTF-8; ask no more then.
    mutating func accepts(_ bytes: Span<UInt8>) -> Bool {
        for index in bytes.indices {
            let byte = bytes[index]
            if due == 0 {
                if byte < 0x80 { continue }
                guard begin(byte) else { return false }
            } else {
                guard allowed.contains(byte) else { return false }
                due -= 1
                allowed = 0x80...0xBF
            }
        }
        return true
    }

    private mutating func begin(_ lead: UInt8) -> Bool {
        switch lead {
        case 0xC2...0xDF: due = 1
        case 0xE0: (due, allowed) = (2, 0xA0...0xBF)
        case 0xED: (due, allowed) = (2, 0x80...0x9F)
        case 0xE1...0xEF: due = 2
        case 0xF0: (due, allowed) = (3, 0x90...0xBF)
        case 0xF4: (due, allowed) = (3, 0x80...0x8F)
        case 0xF1...0xF3: due = 3
        default: return false
        }
        return true
    }
}
