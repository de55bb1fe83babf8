/// The one place that an agent forwards requests to: a local HTTP server.
public struct AgentTarget: Sendable, Hashable, CustomStringConvertible {
    /// A name or an IP address; IPv6 without brackets.
    public let host: String
    /// 1...65535.
    public let port: Int

    /// Reads a target as a person types it: `3000`, `:3000`, `localhost:3000`, `http://127.0.0.1:3000`, `http://[::1]:3000`.
    ///
    /// - Throws: ``AgentTargetError``, which says what is wrong and what to write.
    public init(validating text: String) throws(AgentTargetError) {
        guard !text.isEmpty else { throw .empty }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            guard let port = PortNumber.parse(Substring(text)) else { throw .illegalPort(text) }
            self.init(host: "localhost", port: port)
            return
        }
        var rest = Substring(text)
        if let mark = rest.firstRange(of: "://") {
            let scheme = rest[..<mark.lowerBound].lowercased()
            guard scheme == "http" else { throw .unsupportedScheme(scheme) }
            rest = rest[mark.upperBound...]
        }
        if rest.last == "/" { rest.removeLast() }
        if rest.contains(where: { $0 == "/" || $0 == "?" || $0 == "#" }) { throw .carriesPath(text) }
        if rest.contains("@") { throw .carriesCredential }
        try self.init(authority: rest)
    }

    private init(authority: Substring) throws(AgentTargetError) {
        var host = authority
        var portText: Substring?
        if host.first == "[" {
            guard let close = host.firstIndex(of: "]") else { throw .illegalHost(String(authority)) }
            let tail = host[host.index(after: close)...]
            guard tail.isEmpty || tail.first == ":" else { throw .illegalHost(String(authority)) }
            portText = tail.isEmpty ? nil : tail.dropFirst()
            host = host[host.index(after: host.startIndex)..<close]
            guard host.contains(":") else { throw .illegalHost(String(authority)) }
        } else if let colon = host.firstIndex(of: ":") {
            portText = host[host.index(after: colon)...]
            host = host[..<colon]
            if host.isEmpty { host = "localhost" }
        }
        let isLegal =
            !host.isEmpty
            && host.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || ".-_:%".utf8.contains(byte)
            }
        guard isLegal else { throw .illegalHost(String(host)) }
        guard let portText else {
            self.init(host: host.lowercased(), port: 80)
            return
        }
        guard let port = PortNumber.parse(portText) else { throw .illegalPort(String(portText)) }
        self.init(host: host.lowercased(), port: port)
    }

    private init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Host and port, as the Host field of a forwarded request would name the target itself.
    public var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    public var description: String { "http://\(authority)" }
}

/// What is wrong with a text that should be a target.
public enum AgentTargetError: Error, Sendable, Hashable {
    case empty
    case illegalPort(String)
    case illegalHost(String)
    case unsupportedScheme(String)
    /// A path: requests are forwarded with the path that the third party sent, so there is no place for another.
    case carriesPath(String)
    case carriesCredential
}

extension AgentTargetError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "the target is empty; give a port such as 3000 or a URL such as http://127.0.0.1:3000"
        case .illegalPort(let port): "\"\(port)\" is not a port; a port is a number from 1 to 65535"
        case .illegalHost(let host):
            "\"\(host)\" is not a host; give a port such as 3000 or a URL such as http://127.0.0.1:3000"
        case .unsupportedScheme(let scheme):
            "the target begins with \"\(scheme)://\"; only http:// targets are served. If the local program speaks TLS, let it "
                + "listen in plain text on loopback too: the tunnel itself is encrypted"
        case .carriesPath(let text):
            "the target \"\(text)\" has a path; give only scheme, host and port. Requests keep the path they came with"
        case .carriesCredential: "the target contains a user name or password; leave them out"
        }
    }
}
