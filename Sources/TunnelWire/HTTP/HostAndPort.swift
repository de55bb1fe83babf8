/// A host with an optional port, as a Host field or `:authority` carries it (RFC 9110 §7.2), read strictly.
///
/// Only what can be reached is a host: a name of LDH labels (underscores too, which internal names use), an IPv4 address of
/// four plain decimal numbers, or an IPv6 address in brackets. User information, percent-encoding, zone identifiers, empty
/// ports and port 0 are refused.
package struct HostAndPort: Sendable, Hashable {
    package enum Kind: Sendable, Hashable { case name, ipv4, ipv6 }

    /// In lower case, without brackets and without a final dot.
    package let host: String
    /// 1...65535, or nil when none was given.
    package let port: UInt16?
    package let kind: Kind

    /// - Throws: `HTTP1Error.malformedHost`.
    package init(parsing text: Span<UInt8>) throws(HTTP1Error) {
        guard let parts = HostAndPort.parts(of: text) else { throw .malformedHost }
        host = String(decodingLossily: text.extracting(parts.host)).lowercased()
        port = parts.port
        kind = parts.kind
    }

    package init(parsing text: String) throws(HTTP1Error) {
        let bytes = Array(text.utf8)
        try self.init(parsing: bytes.span)
    }

    /// As it goes into a Host field: IPv6 addresses in brackets.
    package var description: String {
        let name = kind == .ipv6 ? "[\(host)]" : host
        return port.map { "\(name):\($0)" } ?? name
    }
}

// MARK: - Grammar

extension HostAndPort {
    struct Parts {
        /// Without brackets and final dot.
        var host: Range<Int>
        var port: UInt16?
        var kind: Kind
    }

    /// Whether the text could be parsed; allocates nothing.
    package static func isLegal(_ text: Span<UInt8>) -> Bool { parts(of: text) != nil }

    static func parts(of text: Span<UInt8>) -> Parts? {
        guard !text.isEmpty, text.count <= 255 + 6 else { return nil }
        return text[0] == UInt8(ascii: "[") ? bracketed(text) : plain(text)
    }

    private static func bracketed(_ text: Span<UInt8>) -> Parts? {
        guard let close = text.firstIndex(of: UInt8(ascii: "]")), IPText.isIPv6(text.extracting(1..<close)) else { return nil }
        guard let port = optionalPort(text.extracting(close + 1..<text.count)) else { return nil }
        return Parts(host: 1..<close, port: port.number, kind: .ipv6)
    }

    private static func plain(_ text: Span<UInt8>) -> Parts? {
        let end = text.firstIndex(of: UInt8(ascii: ":")) ?? text.count
        guard let port = optionalPort(text.extracting(end..<text.count)) else { return nil }
        let host = text.extracting(0..<end)
        if IPText.isIPv4(host) { return Parts(host: 0..<end, port: port.number, kind: .ipv4) }
        guard let nameEnd = nameEnd(host) else { return nil }
        return Parts(host: 0..<nameEnd, port: port.number, kind: .name)
    }

    /// Where the name ends without its final dot, or nil when it is none. Walks the labels once.
    private static func nameEnd(_ host: Span<UInt8>) -> Int? {
        var end = host.count
        if end > 1, host[end - 1] == UInt8(ascii: ".") { end -= 1 }
        guard end > 0, end <= 253 else { return nil }
        var start = 0
        while start <= end {
            let labelEnd = min(host.firstIndex(of: UInt8(ascii: "."), from: start) ?? end, end)
            let label = host.extracting(start..<labelEnd)
            guard isLabel(label) else { return nil }
            if labelEnd == end { return isNumber(label) ? nil : end }
            start = labelEnd + 1
        }
        return nil
    }

    private static func isLabel(_ label: Span<UInt8>) -> Bool {
        let hyphen = UInt8(ascii: "-")
        guard !label.isEmpty, label.count <= 63, label[0] != hyphen, label[label.count - 1] != hyphen else { return false }
        return label.allSatisfy { byte in
            HTTPSyntax.isDigit(byte) || byte | 0x20 &- 0x61 < 26 || byte == hyphen || byte == UInt8(ascii: "_")
        }
    }

    /// A last label that some resolvers take for a part of an IPv4 address: `1`, `0x7f`.
    private static func isNumber(_ label: Span<UInt8>) -> Bool {
        if label.allSatisfy(HTTPSyntax.isDigit) { return true }
        return label.count > 1 && label[0] == 0x30 && label[1].asciiLowercased == UInt8(ascii: "x")
            && label.extracting(2..<label.count).allSatisfy { HTTPSyntax.hexValue($0) != nil }
    }

    /// Nothing, or a colon and 1...65535 without leading zeros. The outer nil means: not legal.
    private static func optionalPort(_ text: Span<UInt8>) -> (number: UInt16?, Void)? {
        if text.isEmpty { return (nil, ()) }
        guard text.count >= 2, text.count <= 6, text[0] == UInt8(ascii: ":"), text[1] != 0x30 else { return nil }
        var number = 0
        for index in 1..<text.count {
            guard HTTPSyntax.isDigit(text[index]) else { return nil }
            number = number * 10 + Int(text[index] - 0x30)
        }
        return UInt16(exactly: number).map { ($0, ()) }
    }
}
