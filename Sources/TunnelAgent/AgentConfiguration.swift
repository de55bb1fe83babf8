/// Everything an agent must know to carry traffic for one tunnel.
public struct AgentConfiguration: Sendable {
    /// Where agents connect: the zone itself, or another address that serves it.
    public var edge: EdgeAddress
    /// The zone: the name that the edge's certificate must have, and `:authority` of every request (data plane §1).
    public var zone: String
    /// The tunnel's id, a UUID.
    public var tunnelID: String
    /// The host that third parties call; it goes into `X-Forwarded-Host`.
    public var publicHost: String
    /// What is told once the agent is connected, such as `https://my-agent.tunnels.example`.
    public var publicURL: String
    public var credential: AgentCredential
    public var trust: AgentTrust
    /// Intakes to keep parked, 1...32; nil takes the server's default.
    public var poolSize: Int?
    /// Serve the tunnel beside other agents that say so too, instead of taking it over from them.
    public var isShared: Bool
    /// What happens to requests and responses on their way.
    public var rules: AgentRules
    public var limits: AgentLimits
    /// For a passthrough tunnel whose TLS ends in the agent; nil for any other.
    public var tls: AgentTLS?

    /// A configuration with the default limits, for an edge at `zone:443` unless another is given.
    public init(
        zone: String, edge: EdgeAddress? = nil, tunnelID: String, publicHost: String, publicURL: String? = nil,
        credential: AgentCredential, trust: AgentTrust = .system, poolSize: Int? = nil,
        isShared: Bool = false, rules: AgentRules = AgentRules(), limits: AgentLimits = AgentLimits(), tls: AgentTLS? = nil
    ) {
        precondition(poolSize.map { AgentLimits.poolSizes.contains($0) } ?? true, "a pool has 1 to 32 intakes")
        self.zone = zone
        self.edge = edge ?? EdgeAddress(host: zone, port: 443)
        self.tunnelID = tunnelID
        self.publicHost = publicHost
        self.publicURL = publicURL ?? "https://\(publicHost)"
        self.credential = credential
        self.trust = trust
        self.poolSize = poolSize
        self.isShared = isShared
        self.rules = rules
        self.limits = limits
        self.tls = tls
    }
}

/// Where agents connect.
public struct EdgeAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or an IP address; IPv6 without brackets.
    public var host: String
    /// 1...65535.
    public var port: Int

    /// An address as it is; nothing is looked up here.
    public init(host: String, port: Int) {
        precondition((1...65535).contains(port), "a port is 1 to 65535")
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[IPv6]:port`; without a port it is 443. Nil when the text is neither.
    public init?(_ text: String) {
        var host = Substring(text)
        var port = 443
        if host.first == "[" {
            guard let close = host.firstIndex(of: "]") else { return nil }
            let rest = host[host.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            if !rest.isEmpty {
                guard let number = PortNumber.parse(rest.dropFirst()) else { return nil }
                port = number
            }
            host = host[host.index(after: host.startIndex)..<close]
        } else if let colon = host.firstIndex(of: ":") {
            guard let number = PortNumber.parse(host[host.index(after: colon)...]) else { return nil }
            port = number
            host = host[..<colon]
        }
        guard !host.isEmpty,
            host.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "@") })
        else { return nil }
        self.init(host: String(host), port: port)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// What the agent proves itself with at hello (data plane, the two dialects).
///
/// Its description never shows the secret.
public enum AgentCredential: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The tunnel's connect secret, sent as `x-tunnel-secret`.
    case connectSecret(String)
    /// An admin key of the organization, or the key of the tunnel's identity, sent as `x-api-key`.
    case apiKey(String)

    public var description: String {
        switch self {
        case .connectSecret: "connect secret"
        case .apiKey: "API key"
        }
    }
    public var debugDescription: String { description }
}

/// Whose certificates the agent accepts.
public enum AgentTrust: Sendable, Hashable {
    /// The authorities that the system trusts.
    case system
    /// The authorities in this PEM file, and no others.
    case authorities(file: String)
}

/// How much and how long: each limit names its unit last.
public struct AgentLimits: Sendable, Hashable {
    /// What `x-pool-size` may ask for (data plane §2).
    public static let poolSizes = 1...32

    /// Requests that may be under way at once; while there are that many, no intake is parked. Each holds one stream, and one
    /// more while its body comes in, of the 512 that a server offers at least.
    public var requestsInFlightMax = 224
    /// The same for requests whose TLS ends in the agent, all connections together; one more is answered 503.
    public var terminatedRequestsMax = 1_024
    /// From the first packet to the end of the TLS handshake.
    public var connectSecondsMax = 10
    /// From hello to its answer.
    public var helloSecondsMax = 10
    /// How long the target may take to accept a connection.
    public var targetConnectSecondsMax = 5
    /// How long replies may go on after a stop was asked for.
    public var drainSecondsMax = 20
    /// How long the server may take, after a stop was asked for, to say that it gives out no more; then the intakes are taken
    /// back.
    public var leaveSecondsMax = 5
    /// How long a reply waits for a new connection after its own has begun to drain.
    public var replyHandoverSecondsMax = 20
    /// Connections to the target that are kept open for the next request, and how long.
    public var idleTargetConnectionsMax = 64
    public var idleTargetSecondsMax = 30
    /// Connections to a target of HTTP/2 that requests share at once; past what they take together, requests wait.
    public var sharedTargetConnectionsMax = 8
    /// The largest WebSocket message, either way; one byte more closes the WebSocket with 1009 (data plane §9).
    public var webSocketMessageByteCountMax = 1024 * 1024
    /// Seconds between pings to the target of a WebSocket; one that is not answered until the next ends it. 0 for none.
    public var webSocketPingIntervalSeconds = 30
    /// Seconds between PINGs, and how long an answer may take (data plane §1).
    public var pingIntervalSeconds = 20
    public var pingTimeoutSeconds = 10

    /// After the machine woke or its network changed: how long the server has to show that the connection still stands.
    public var probeSecondsMax = 3

    /// The defaults.
    public init() {}
}

/// Reads port numbers as they must be written: digits, 1 to 65535.
enum PortNumber {
    static func parse(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(text),
            (1...65535).contains(port)
        else { return nil }
        return port
    }
}
