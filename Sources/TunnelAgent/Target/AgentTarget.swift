internal import TunnelWire

/// The one place that an agent forwards requests to: a local HTTP server.
public struct AgentTarget: Sendable, Hashable, CustomStringConvertible {
    /// The version of HTTP that it speaks.
    public enum Version: Sendable, Hashable {
        /// HTTP/1.1 (RFC 9112), what most programs speak.
        case http1
        /// HTTP/2 without TLS, by prior knowledge (RFC 9113 §3.3), as gRPC servers do.
        case http2
    }

    /// Where it listens.
    public enum Endpoint: Sendable, Hashable {
        /// A name or an IP address, IPv6 without brackets; 1...65535.
        case tcp(host: String, port: Int)
        /// The path of a stream socket in the file system.
        case unixSocket(path: String)
    }

    /// The longest path that the system takes for a Unix socket, in bytes (`sun_path`, without its NUL).
    public static let socketPathByteCountMax = 107

    public let endpoint: Endpoint
    public let version: Version
    /// What is put before the path of every request: `/app`, or empty.
    public let pathPrefix: String

    /// Reads a target as a person types it: `3000`, `:3000`, `localhost:3000`, `http://127.0.0.1:3000`,
    /// `http://[::1]:3000/app`, `unix:/run/app.sock`; for HTTP/2 `h2c://127.0.0.1:50051`, `h2c+unix:/run/app.sock`, or `grpc`
    /// instead of `h2c`.
    ///
    /// - Throws: ``AgentTargetError``, which says what is wrong and what to write.
    public init(validating text: String) throws(AgentTargetError) {
        guard !text.isEmpty else { throw .empty }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            guard let port = PortNumber.parse(Substring(text)) else { throw .illegalPort(text) }
            self.init(endpoint: .tcp(host: "localhost", port: port), version: .http1, pathPrefix: "")
            return
        }
        for (prefix, version) in Self.socketPrefixes where text.hasPrefix(prefix) {
            try self.init(socketPath: String(text.dropFirst(prefix.utf8.count)), version: version)
            return
        }
        var rest = Substring(text)
        var version = Version.http1
        if let mark = rest.firstRange(of: "://") {
            let scheme = rest[..<mark.lowerBound].lowercased()
            guard let named = Self.schemes[scheme] else { throw .unsupportedScheme(scheme) }
            version = named
            rest = rest[mark.upperBound...]
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if authority.contains("@") { throw .carriesCredential }
        self.init(
            endpoint: try Self.endpoint(authority), version: version,
            pathPrefix: try Self.pathPrefix(rest[authority.endIndex...], of: text))
    }

    private static let schemes: [String: Version] = ["http": .http1, "h2c": .http2, "grpc": .http2]
    private static let socketPrefixes: [(String, Version)] = [
        ("unix:", .http1), ("h2c+unix:", .http2), ("grpc+unix:", .http2),
    ]

    private init(endpoint: Endpoint, version: Version, pathPrefix: String) {
        self.endpoint = endpoint
        self.version = version
        self.pathPrefix = pathPrefix
    }

    private init(socketPath path: String, version: Version) throws(AgentTargetError) {
        guard path.hasPrefix("/"), path.utf8.count <= Self.socketPathByteCountMax, !path.hasSuffix("/"),
            !path.utf8.contains(0)
        else { throw .illegalSocketPath(path) }
        self.init(endpoint: .unixSocket(path: path), version: version, pathPrefix: "")
    }

    private static func endpoint(_ authority: Substring) throws(AgentTargetError) -> Endpoint {
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
        guard let portText else { return .tcp(host: host.lowercased(), port: 80) }
        guard let port = PortNumber.parse(portText) else { throw .illegalPort(String(portText)) }
        return .tcp(host: host.lowercased(), port: port)
    }

    /// The path without its last slash: what is put before a path begins with one and ends without.
    private static func pathPrefix(_ path: Substring, of text: String) throws(AgentTargetError) -> String {
        var prefix = String(path)
        if prefix.hasSuffix("/") { prefix.removeLast() }
        guard !prefix.contains("?"), !prefix.contains("#") else { throw .carriesQuery(text) }
        guard prefix.isEmpty || HTTPSyntax.isTarget(Array(prefix.utf8).span) && ForwardPath.isSafe(prefix) else {
            throw .illegalPath(prefix)
        }
        return prefix
    }

    /// What the Host field of a forwarded request names when it names the target itself.
    public var authority: String {
        switch endpoint {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket: "localhost"
        }
    }

    public var description: String {
        switch (endpoint, version) {
        case (.tcp, .http1): "http://\(authority)\(pathPrefix)"
        case (.tcp, .http2): "h2c://\(authority)\(pathPrefix)"
        case (.unixSocket(let path), .http1): "unix:\(path)"
        case (.unixSocket(let path), .http2): "h2c+unix:\(path)"
        }
    }
}

/// What is wrong with a text that should be a target.
public enum AgentTargetError: Error, Sendable, Hashable {
    case empty
    case illegalPort(String)
    case illegalHost(String)
    case unsupportedScheme(String)
    /// A query or a fragment: requests bring their own.
    case carriesQuery(String)
    /// A path that climbs, or has a character that a URL cannot have.
    case illegalPath(String)
    case illegalSocketPath(String)
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
            "the target begins with \"\(scheme)://\"; only http://, h2c:// and grpc:// targets are served. If the local "
                + "program speaks TLS, let it listen in plain text on loopback too: the tunnel itself is encrypted"
        case .carriesQuery(let text):
            "the target \"\(text)\" has a query or a fragment; leave it out. A path may stand there: it is put before every "
                + "request's own"
        case .illegalPath(let path):
            "the target's path \"\(path)\" has \"..\", a blank or another character that a URL cannot have"
        case .illegalSocketPath(let path):
            "\"unix:\(path)\" is not the path of a socket; give the whole path, at most "
                + "\(AgentTarget.socketPathByteCountMax) bytes, such as unix:/run/app.sock"
        case .carriesCredential: "the target contains a user name or password; leave them out"
        }
    }
}
