/// Finds the id in a text that is meant to be a message but is broken, cut off or too long, piece by piece.
///
/// A client that gets an error without an id cannot tell which of its calls failed. Only a member `id` of the outermost object
/// counts, and only when its value is complete: half a number would be another call's id.
struct JSONRPCIDScanner {
    /// A longer id is not looked at.
    static let tokenByteCountMax = 1024

    private enum Place {
        /// Nothing but blanks so far.
        case start
        case inside
        /// The object is closed.
        case closed
        /// It is no object.
        case strange
    }

    private enum Token {
        case none
        case string(isEscaped: Bool)
        /// A number or a word.
        case scalar
    }

    private(set) var id: JSONRPCID?
    private var place = Place.start
    private var depth = 0
    private var token = Token.none
    /// The bytes of the token, a string's without its quotes; one more than is looked at, so that no long one passes for short.
    private var text: [UInt8] = []
    /// The last string on the outermost level: what a colon makes a name.
    private var lastString: [UInt8]?
    private var isIDNext = false

    /// Whether looking on can bring no id any more.
    var isDecided: Bool {
        switch place {
        case .start, .inside: id != nil
        case .closed, .strange: true
        }
    }

    /// Whether the object that the text is meant to be has come to its end.
    var isClosed: Bool { place == .closed }

    /// Looks at more of the text, up to the end of the object; says how many bytes that were.
    mutating func scan(_ bytes: ArraySlice<UInt8>) -> Int {
        for (offset, byte) in bytes.enumerated() {
            switch place {
            case .start, .inside: scan(byte)
            case .closed: return offset
            case .strange: return bytes.count
            }
        }
        return bytes.count
    }

    private mutating func scan(_ byte: UInt8) {
        switch token {
        case .none: begin(byte)
        case .string(let isEscaped): continueString(byte, isEscaped: isEscaped)
        case .scalar: continueScalar(byte)
        }
    }

    private mutating func begin(_ byte: UInt8) {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D: return
        case UInt8(ascii: "{") where place == .start:
            place = .inside
            depth = 1
        case _ where place == .start: place = .strange
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            isIDNext = false
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            if depth == 0 { place = .closed }
        case UInt8(ascii: "\""):
            token = .string(isEscaped: false)
            text.removeAll(keepingCapacity: true)
        case UInt8(ascii: ":"):
            isIDNext = depth == 1 && Self.isIDName(lastString)
            lastString = nil
        case UInt8(ascii: ","):
            isIDNext = false
            lastString = nil
        default:
            guard isIDNext else { return }
            token = .scalar
            text = [byte]
        }
    }

    private mutating func continueString(_ byte: UInt8, isEscaped: Bool) {
        guard byte == UInt8(ascii: "\""), !isEscaped else {
            if depth == 1, text.count <= Self.tokenByteCountMax { text.append(byte) }
            token = .string(isEscaped: byte == UInt8(ascii: "\\") && !isEscaped)
            return
        }
        token = .none
        guard depth == 1 else { return }
        if isIDNext { take([UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")]) } else { lastString = text }
    }

    private mutating func continueScalar(_ byte: UInt8) {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ":"),
            UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["):
            token = .none
            take(text)
            begin(byte)
        default:
            if text.count <= Self.tokenByteCountMax { text.append(byte) }
        }
    }

    private mutating func take(_ text: [UInt8]) {
        isIDNext = false
        guard id == nil, text.count <= Self.tokenByteCountMax + 2, let value = try? JSONValue(parsing: text) else { return }
        id = JSONRPCID(value)
    }

    private static func isIDName(_ raw: [UInt8]?) -> Bool {
        guard let raw else { return false }
        if raw.elementsEqual("id".utf8) { return true }
        guard raw.contains(UInt8(ascii: "\\")) else { return false }
        return (try? JSONValue(parsing: [UInt8(ascii: "\"")] + raw + [UInt8(ascii: "\"")])) == .string("id")
    }
}
