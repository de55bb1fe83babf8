/// Where a Culvert server's REST API is: scheme, host, port and an optional path before `/api/v1`.
///
/// `https://tunnels.example`, `https://tunnels.example:8443` and `http://127.0.0.1:8080` are server URLs. Plain `http` is
/// accepted for loopback hosts only: an API key must not cross a network in clear text.
public struct ServerURL: Sendable, Hashable {
    /// How the server is spoken to.
    public enum Scheme: String, Sendable, Hashable {
        case http, https

        /// The port that stands for itself: 80 or 443.
        public var defaultPort: Int {
            switch self {
            case .http: 80
            case .https: 443
            }
        }
    }

    public let scheme: Scheme
    /// The host in lower case; an IPv6 address stands without its brackets.
    public let host: String
    /// 1...65535.
    public let port: Int
    /// Empty, or begins with a slash and ends without one.
    public let basePath: String

    /// Reads a server URL as a person types it; a trailing slash or `/api/v1` is dropped.
    ///
    /// - Throws: ``ServerURLError``, which says what is wrong and what a right one looks like.
    public init(validating text: String) throws(ServerURLError) {
        let (scheme, rest) = try Self.splitScheme(text)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let (host, port) = try Self.splitAuthority(rest[..<slash])
        let basePath = try Self.cleanPath(rest[slash...])
        if scheme == .http, !Self.isLoopback(host) { throw .plainTextToRemoteHost(host) }
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.defaultPort
        self.basePath = basePath
    }

    /// Whether the host is this machine by its spelling: `localhost`, a name under it, `127.0.0.0/8` or `::1`.
    public var isLoopback: Bool { Self.isLoopback(host) }

    /// Host and port as the Host field carries them; a default port is left out (RFC 9110 §7.2).
    public var authority: String {
        let shown = host.contains(":") ? "[\(host)]" : host
        return port == scheme.defaultPort ? shown : "\(shown):\(port)"
    }
}

/// What is wrong with a text that should be a server URL.
public enum ServerURLError: Error, Sendable, Hashable {
    case empty
    /// There is no `http://` or `https://` in front; the text is kept for the message.
    case missingScheme(String)
    case unknownScheme(String)
    case illegalHost(String)
    case illegalPort(String)
    /// A user name or password in a URL would end up in logs and shell histories.
    case carriesCredential
    /// A query or a fragment means nothing here.
    case carriesQuery
    /// Plain `http` would show the API key to everyone on the way.
    case plainTextToRemoteHost(String)
}

extension ServerURL: CustomStringConvertible {
    public var description: String { "\(scheme.rawValue)://\(authority)\(basePath)" }
}

extension ServerURLError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty:
            "the server URL is empty; give one such as https://tunnels.example"
        case .missingScheme(let text):
            "the server URL \"\(text)\" has no scheme; write https://\(text)"
        case .unknownScheme(let scheme):
            "the server URL begins with \"\(scheme)://\"; only https:// and, on this machine, http:// are spoken"
        case .illegalHost(let host):
            "\"\(host)\" is not a host name or an IP address; give a server URL such as https://tunnels.example"
        case .illegalPort(let port):
            "\"\(port)\" is not a port; a port is a number from 1 to 65535"
        case .carriesCredential:
            "the server URL contains a user name or password; leave them out and keep the API key in a file"
        case .carriesQuery:
            "the server URL contains \"?\" or \"#\"; give only scheme, host and port"
        case .plainTextToRemoteHost(let host):
            "http:// would send the API key to \(host) unencrypted; use https:// (http:// is for this machine only)"
        }
    }
}

// MARK: - Parsing (RFC 3986, as much as a server URL needs)

extension ServerURL {
    private static func splitScheme(_ text: String) throws(ServerURLError) -> (Scheme, Substring) {
        guard !text.isEmpty else { throw .empty }
        if text.contains(where: { $0 == "?" || $0 == "#" }) { throw .carriesQuery }
        guard let mark = text.firstRange(of: "://") else { throw .missingScheme(text) }
        let name = text[..<mark.lowerBound].lowercased()
        guard let scheme = Scheme(rawValue: name) else { throw .unknownScheme(name) }
        return (scheme, text[mark.upperBound...])
    }

    private static func splitAuthority(_ authority: Substring) throws(ServerURLError) -> (host: String, port: Int?) {
        if authority.contains("@") { throw .carriesCredential }
        if authority.first == "[" {
            guard let close = authority.firstIndex(of: "]") else { throw .illegalHost(String(authority)) }
            let host = authority[authority.index(after: authority.startIndex)..<close].lowercased()
            let legal = host.contains(":") && host.utf8.allSatisfy { ipv6Bytes.contains($0) }
            guard legal else { throw .illegalHost(host) }
            let rest = authority[authority.index(after: close)...]
            guard let colon = rest.first else { return (host, nil) }
            guard colon == ":" else { throw .illegalHost(String(authority)) }
            return (host, try parsePort(rest.dropFirst()))
        }
        let colon = authority.firstIndex(of: ":")
        let host = authority[..<(colon ?? authority.endIndex)].lowercased()
        guard isLegalName(host) else { throw .illegalHost(host) }
        guard let colon else { return (host, nil) }
        return (host, try parsePort(authority[authority.index(after: colon)...]))
    }

    private static let ipv6Bytes = Set("0123456789abcdef:.".utf8)

    private static func isLegalName(_ host: String) -> Bool {
        guard !host.isEmpty, host.utf8.count <= 253 else { return false }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { byte in
                    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
                }
        }
    }

    private static func parsePort(_ text: Substring) throws(ServerURLError) -> Int {
        guard !text.isEmpty, text.utf8.count <= 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(text), (1...65535).contains(port)
        else { throw .illegalPort(String(text)) }
        return port
    }

    private static func cleanPath(_ path: Substring) throws(ServerURLError) -> String {
        guard path.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .illegalHost(String(path)) }
        var path = path
        while path.last == "/" { path.removeLast() }
        if path.hasSuffix("/api/v1") { path.removeLast("/api/v1".count) }
        while path.last == "/" { path.removeLast() }
        return String(path)
    }

    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host.hasSuffix(".localhost") || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
