/// A tunnel's name: the label in front of the zone in its public host.
///
/// 3 to 63 characters of `a-z`, `0-9` and `-`; the first and the last are alphanumeric, and no two hyphens touch
/// (control plane, section 3; the upper bound is a DNS label's, RFC 1035 section 2.3.4). Case is not folded: `My-Agent` is
/// refused. Whether a name is free or reserved is another question, see ``ReservedNames``.
public struct TunnelName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The fewest bytes of a name.
    public static let byteCountMin = 3
    /// The most bytes of a name.
    public static let byteCountMax = 63

    /// The name as it is written everywhere; all ASCII.
    public let text: String

    /// Takes a text that keeps every rule, and says by error which rule it breaks first.
    public init(validating text: String) throws(TunnelNameError) {
        let byteCount = text.utf8.count
        guard byteCount >= Self.byteCountMin else { throw .tooShort(byteCount: byteCount) }
        guard byteCount <= Self.byteCountMax else { throw .tooLong(byteCount: byteCount) }
        var previous: UInt8?
        for (offset, byte) in text.utf8.enumerated() {
            guard ASCII.isLowerOrDigit(byte) || byte == ASCII.minus else {
                throw .illegalCharacter(Self.character(of: text, atByte: offset), at: offset)
            }
            if byte == ASCII.minus {
                if previous == nil { throw .hyphenFirst }
                if previous == ASCII.minus { throw .doubleHyphen(at: offset - 1) }
            }
            previous = byte
        }
        guard previous != ASCII.minus else { throw .hyphenLast }
        self.text = text
    }

    public var description: String { text }

    public static func < (left: TunnelName, right: TunnelName) -> Bool { left.text < right.text }

    private static func character(of text: String, atByte offset: Int) -> Unicode.Scalar {
        text.unicodeScalars[text.utf8.index(text.utf8.startIndex, offsetBy: offset)]
    }
}

/// The rule that a text breaks, so that it cannot be a tunnel's name or an agent's handle.
public enum TunnelNameError: Error, Hashable, Sendable {
    /// Fewer than ``TunnelName/byteCountMin`` bytes.
    case tooShort(byteCount: Int)
    /// More than ``TunnelName/byteCountMax`` bytes.
    case tooLong(byteCount: Int)
    /// A character other than `a-z`, `0-9` and `-`; `at` counts bytes from 0.
    case illegalCharacter(Unicode.Scalar, at: Int)
    /// The first character is a hyphen.
    case hyphenFirst
    /// The last character is a hyphen.
    case hyphenLast
    /// Two hyphens touch; `at` is the first one's position from 0.
    case doubleHyphen(at: Int)

    /// What is wrong and what would be right, in one sentence for people.
    public var explanation: String {
        switch self {
        case .tooShort(let byteCount):
            "It has \(byteCount) characters; a name has at least \(TunnelName.byteCountMin)."
        case .tooLong(let byteCount):
            "It has \(byteCount) bytes; a name has at most \(TunnelName.byteCountMax) characters."
        case .illegalCharacter(let character, let position) where ("A"..."Z").contains(character):
            "The capital letter \(character) at position \(position + 1) is not allowed; write names in lower case."
        case .illegalCharacter(let character, let position):
            "The character \(Self.visible(character)) at position \(position + 1) is not allowed; use a-z, 0-9 and hyphens."
        case .hyphenFirst:
            "It begins with a hyphen; a name begins with a letter or a digit."
        case .hyphenLast:
            "It ends with a hyphen; a name ends with a letter or a digit."
        case .doubleHyphen(let position):
            "It has two hyphens in a row at position \(position + 1); use one."
        }
    }

    /// Printable ASCII in quotes, anything else by number, so that no message can be forged or broken by a name.
    private static func visible(_ character: Unicode.Scalar) -> String {
        if character.value > 0x20 && character.value < 0x7F { return "'\(character)'" }
        let digits = String(character.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
