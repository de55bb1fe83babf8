/// Recognises IP addresses as text (RFC 3986 §3.2.2), in their strict spellings only.
package enum IPText {
    /// Four decimal numbers up to 255 without leading zeros.
    package static func isIPv4(_ text: Span<UInt8>) -> Bool {
        guard text.count >= 7, text.count <= 15 else { return false }
        var numbers = 0
        var start = 0
        while start < text.count {
            let end = text.firstIndex(of: UInt8(ascii: "."), from: start) ?? text.count
            guard isOctet(text.extracting(start..<end)) else { return false }
            numbers += 1
            // A final dot would leave an empty number behind it.
            if end == text.count - 1 { return false }
            start = end + 1
        }
        return numbers == 4
    }

    private static func isOctet(_ text: Span<UInt8>) -> Bool {
        guard !text.isEmpty, text.count <= 3, text.allSatisfy(HTTPSyntax.isDigit) else { return false }
        if text[0] == 0x30 { return text.count == 1 }
        var number = 0
        for index in text.indices { number = number * 10 + Int(text[index] - 0x30) }
        return number <= 255
    }

    /// Eight groups of up to four hexadecimal digits; `::` once for one or more groups of zeros; the last two groups may be
    /// an IPv4 address. No zone identifier.
    package static func isIPv6(_ text: Span<UInt8>) -> Bool {
        guard text.count >= 2, text.count <= 45 else { return false }
        let colon = UInt8(ascii: ":")
        var groups = 0
        var hasGap = false
        var index = 0
        if text[0] == colon {
            guard text[1] == colon else { return false }
            hasGap = true
            index = 2
        }
        while index < text.count {
            let end = text.firstIndex(of: colon, from: index) ?? text.count
            let group = text.extracting(index..<end)
            if end == text.count, isIPv4(group) {
                groups += 2
                break
            }
            guard isGroup(group) else { return false }
            groups += 1
            guard end < text.count else { break }
            index = end + 1
            // A colon after the group must be followed by another group, or by a second colon, once.
            guard index < text.count else { return false }
            guard text[index] == colon else { continue }
            guard !hasGap else { return false }
            hasGap = true
            index += 1
        }
        return hasGap ? groups <= 7 : groups == 8
    }

    private static func isGroup(_ text: Span<UInt8>) -> Bool {
        !text.isEmpty && text.count <= 4 && text.allSatisfy { HTTPSyntax.hexValue($0) != nil }
    }
}
