internal import TunnelDomain

/// Where webhooks are delivered: an `https` or `http` URL, taken apart.
package struct WebhookURL: Sendable, Hashable {
    /// The most characters of a URL.
    package static let characterCountMax = 2_048

    /// As it was given.
    package let text: String
    package let isTLS: Bool
    /// A name, or an IP address without brackets; in lower case.
    package let host: String
    package let port: UInt16
    /// Path and query as sent in the request line.
    package let target: String

    /// Host and port as a `Host` field has them: without the port that the scheme implies (RFC 9110, section 7.2).
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// Scheme, host and port.
    package var origin: String { "\(isTLS ? "https" : "http")://\(authority)" }

    /// What is wrong with a URL.
    package enum Flaw: Error, Hashable, CustomStringConvertible {
        case tooLong
        /// A character that no URL has unescaped.
        case illegalCharacter
        case unknownScheme
        case missingHost
        case illegalHost
        case illegalPort
        /// It would go over the wire, and into logs, in the open.
        case hasUserInfo
        case hasFragment

        package var description: String {
            switch self {
            case .tooLong: "It has more than \(WebhookURL.characterCountMax) characters."
            case .illegalCharacter: "It has a character that must be percent-encoded."
            case .unknownScheme: "It does not begin with https:// or http://."
            case .missingHost: "It names no host."
            case .illegalHost: "Its host is neither a name nor an IP address."
            case .illegalPort: "Its port is not a number from 1 to 65535."
            case .hasUserInfo: "It holds a user name or password; deliveries are signed instead."
            case .hasFragment: "It has a fragment, which no server gets to see."
            }
        }
    }

    package init(parsing text: String) throws(Flaw) {
        guard text.utf8.count <= Self.characterCountMax else { throw .tooLong }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !Self.unwise.contains($0) }) else { throw .illegalCharacter }
        guard let separator = text.firstRange(of: "://") else { throw .unknownScheme }
        switch text[..<separator.lowerBound].lowercased() {
        case "https": isTLS = true
        case "http": isTLS = false
        default: throw .unknownScheme
        }
        guard !text.contains("#") else { throw .hasFragment }
        let rest = text[separator.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard !rest[..<end].contains("@") else { throw .hasUserInfo }
        (host, port) = try Self.hostAndPort(rest[..<end], isTLS: isTLS)
        target = rest[end...].hasPrefix("/") ? String(rest[end...]) : "/" + rest[end...]
        self.text = text
    }

    /// Visible characters that stand in no URL (RFC 3986, section 2).
    private static let unwise = Set("\"<>\\^`{|}".utf8)

    private static func hostAndPort(_ text: Substring, isTLS: Bool) throws(Flaw) -> (String, UInt16) {
        var (name, portText): (Substring, Substring?) = (text, nil)
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { throw .illegalHost }
            name = text[text.index(after: text.startIndex)..<close]
            guard IPText.isIPv6(Array(name.utf8).span) else { throw .illegalHost }
            let tail = text[text.index(after: close)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw .illegalHost }
            portText = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            (name, portText) = (text[..<colon], text[text.index(after: colon)...])
        }
        guard !name.isEmpty else { throw .missingHost }
        let isLegal = text.hasPrefix("[") || name.utf8.allSatisfy(isNameCharacter) && name.utf8.count <= 253
        guard isLegal else { throw .illegalHost }
        guard let portText else { return (name.lowercased(), isTLS ? 443 : 80) }
        guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(portText), port > 0 else {
            throw .illegalPort
        }
        return (name.lowercased(), port)
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
