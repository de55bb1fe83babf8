public import TunnelDomain

/// What an agent tells about itself while it runs, in order.
public enum AgentEvent: Sendable, Hashable {
    case connecting(to: EdgeAddress)
    /// The server accepted the hello: third parties reach the target under this URL.
    case connected(publicURL: String)
    /// Follows on ``connected(publicURL:)`` for an agent that asked to share its tunnel: how many serve it now, this one
    /// included, or nil when the server does not let agents share.
    case sharing(agentCount: Int?)
    /// There is no connection; the next attempt comes after the pause.
    case reconnecting(after: Duration, reason: String)
    /// The server ends this connection soon; a new one is being made while the replies under way are finished.
    case handingOver(reason: String)
    /// A request has been answered, or has failed.
    case request(RequestReport)
    /// A third party's TLS connection, carried as it was, has ended.
    case connection(ConnectionReport)
    /// New connections are shown a new certificate.
    case certificateRenewed(expiresAt: Timestamp)
    /// The certificate in use stays, and goes on until it expires.
    case certificateNotRenewed(reason: String, nextAttemptAt: Timestamp, expiresAt: Timestamp)
    /// The last event.
    case stopped(AgentStop)
}

/// One TLS connection that was carried to a local TLS server, as a log line tells it.
public struct ConnectionReport: Sendable, Hashable {
    /// The server's id of the connection.
    public var id: String
    /// The name that the third party asked for (SNI).
    public var serverName: String
    /// The third party's IP address as the server saw it.
    public var clientAddress: String
    public var duration: Duration
    /// Bytes from the third party to the local server, and back.
    public var receivedByteCount: Int
    public var sentByteCount: Int
    /// What went wrong and what to do, or nil.
    public var problem: String?

    /// A report with every member given.
    public init(
        id: String, serverName: String, clientAddress: String, duration: Duration, receivedByteCount: Int,
        sentByteCount: Int, problem: String? = nil
    ) {
        self.id = id
        self.serverName = serverName
        self.clientAddress = clientAddress
        self.duration = duration
        self.receivedByteCount = receivedByteCount
        self.sentByteCount = sentByteCount
        self.problem = problem
    }
}

/// One request, as a log line tells it.
public struct RequestReport: Sendable, Hashable {
    /// The server's id of the request.
    public var id: String
    public var method: String
    /// Path and query as the third party sent them.
    public var path: String
    /// What the third party got; nil when it went away before.
    public var status: Int?
    /// From the request's arrival at the agent to the last byte of the reply.
    public var duration: Duration
    public var requestByteCount: Int
    public var responseByteCount: Int
    /// What went wrong and what to do, or nil.
    public var problem: String?

    /// A report with every member given.
    public init(
        id: String, method: String, path: String, status: Int?, duration: Duration, requestByteCount: Int,
        responseByteCount: Int, problem: String? = nil
    ) {
        self.id = id
        self.method = method
        self.path = path
        self.status = status
        self.duration = duration
        self.requestByteCount = requestByteCount
        self.responseByteCount = responseByteCount
        self.problem = problem
    }
}

/// Why an agent ended, for good.
public enum AgentStop: Sendable, Hashable {
    /// It was asked to, and its replies are in, or their time was up.
    case requested
    /// Another agent has taken the tunnel over (data plane §8). Starting again would take it back.
    case superseded
    /// The server refuses the credential, or does not let it serve this tunnel: 401 or 403 at hello.
    case refused(status: Int, reason: String)
    /// What was configured cannot work; the text says why and what to do.
    case misconfigured(String)
}

extension AgentStop: CustomStringConvertible {
    public var description: String {
        switch self {
        case .requested: "stopped"
        case .superseded: "another agent took over this tunnel"
        case .refused(let status, let reason): "the server refused this agent (\(status)): \(reason)"
        case .misconfigured(let reason): reason
        }
    }
}
