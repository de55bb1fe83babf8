/// The query of a request target, percent-encoded as it is built (RFC 3986 §2.1).
struct Query: Sendable, Hashable {
    /// Empty, or begins with a question mark.
    private(set) var text = ""

    /// Adds a pair; nothing when there is no value.
    mutating func append(_ name: String, _ value: String?) {
        guard let value else { return }
        append(name, encoded: PercentEncoding.encode(value))
    }

    /// Adds a pair whose value is percent-encoded already.
    mutating func append(_ name: String, encoded value: String) {
        text += (text.isEmpty ? "?" : "&") + name + "=" + value
    }
}

/// Text as one segment of a path or one value of a query: whatever it contains, it stays one (RFC 3986 §2.3).
enum PercentEncoding {
    static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += byte < 16 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
