/// A request target taken apart: the path as sent, and the decoded query.
package struct RequestTarget: Sendable {
    package let path: String
    /// Names and values in order, repeats kept.
    package let query: [(name: String, value: String)]

    package init(_ target: String) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        query = parts.count == 2 ? RequestTarget.items(of: parts[1]) : []
    }

    /// The value of the first item with this name.
    package func firstValue(of name: String) -> String? { query.first { $0.name == name }?.value }

    private static func items(of query: Substring) -> [(name: String, value: String)] {
        query.split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decoded(parts[0], isQuery: true), parts.count == 2 ? decoded(parts[1], isQuery: true) : "")
        }
    }

    /// A segment of the path without its percent-encoding, by the same rules as the query but for `+`.
    static func decodedSegment(_ segment: String) -> String { decoded(segment[...], isQuery: false) }

    /// Percent-decoded text; an escape that is none stays as it is, and bytes that are no UTF-8 become U+FFFD.
    private static func decoded(_ text: Substring, isQuery: Bool) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(hexPair: rest.prefix(2)) {
                bytes.append(value)
                rest.removeFirst(2)
            } else {
                bytes.append(isQuery && byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension UInt8 {
    /// The byte that two hex digits write, or nil.
    fileprivate init?(hexPair: Substring.UTF8View) {
        let digits = hexPair.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard hexPair.count == 2, digits.count == 2 else { return nil }
        self = UInt8(digits[0] << 4 | digits[1])
    }
}
