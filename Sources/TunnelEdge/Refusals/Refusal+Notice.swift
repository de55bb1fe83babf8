package import TunnelWire

extension Refusal {
    /// The refusal in words, for people.
    package var notice: TunnelNotice {
        let words = words
        return TunnelNotice(
            status: status, code: code, title: words.title, reason: words.reason, forVisitor: words.forVisitor,
            forOwner: words.forOwner)
    }

    private struct Words {
        var title: String
        var reason: String
        var forVisitor: String
        var forOwner = ""
    }

    private var words: Words {
        switch self {
        case .noSuchTunnel:
            Words(
                title: "No such tunnel", reason: "There is no tunnel with this name here.",
                forVisitor: "Check the address for a typing mistake, or ask whoever gave it to you.",
                forOwner: "See which names you have: culvert tunnels list.")
        case .tunnelInactive:
            Words(
                title: "Tunnel inactive", reason: "This tunnel exists but is not active.",
                forVisitor: "Ask its owner when it will be back.",
                forOwner:
                    "Bring it back if it was deleted (culvert tunnels restore NAME), or finish its setup if it waits for a "
                    + "certificate.")
        case .agentOffline:
            Words(
                title: "Tunnel offline", reason: "The program behind this address is not connected at the moment.",
                forVisitor: "Try again later: the page is back as soon as its owner starts the program again.",
                forOwner: "Start its agent (culvert http PORT --name NAME), and check that the machine is online.")
        case .agentBusy:
            Words(
                title: "Tunnel busy", reason: "The program behind this address has all hands full.",
                forVisitor: "Try again in a moment.",
                forOwner: "Let the agent take more at once (--pool-size), or see what keeps the program busy.")
        case .responseDeadlineExceeded:
            Words(
                title: "No answer in time", reason: "The program behind this address did not answer in time.",
                forVisitor: "Before you send it again, think of what it does: the request may have been carried out.",
                forOwner: "See in the agent's log what the request waited for.")
        case .agentDisconnected:
            Words(
                title: "Connection to the tunnel lost",
                reason: "The connection to the program behind this address broke before it had answered.",
                forVisitor: "Before you send it again, think of what it does: the request may have been carried out.",
                forOwner: "See the agent's log; it connects again by itself.")
        case .requestTooLarge:
            Words(
                title: "Request too large", reason: "The request is larger than this tunnel takes.",
                forVisitor: "Send less at once.")
        case .headersTooLarge:
            Words(
                title: "Headers too large", reason: "The request's headers are larger than this tunnel takes.",
                forVisitor: "Send fewer or smaller ones; in a browser, delete the cookies of this site.")
        case .invalidHeader:
            Words(
                title: "Invalid header",
                reason: "A header value of the request is not UTF-8, which the tunnel's agent cannot read.",
                forVisitor: "Send it encoded.")
        case .invalidRequest:
            Words(
                title: "Invalid request", reason: "The request is not HTTP as this tunnel takes it.",
                forVisitor: "Check its method and its path: they have a character that HTTP does not allow.")
        case .invalidReply:
            Words(
                title: "Invalid reply from the tunnel",
                reason: "The program behind this address answered with something that is not HTTP.",
                forVisitor: "Try again later, or tell its owner.",
                forOwner: "See in the agent's log what the program sent.")
        case .misdirected:
            Words(
                title: "Misdirected request", reason: "This connection was opened for another host.",
                forVisitor: "Open a new connection for this host; in a browser, load the page again.")
        case .passthroughOnly:
            Words(
                title: "TLS of its own", reason: "The program behind this address ends TLS itself; this server does not.",
                forVisitor: "Use https, with a client that names the host in its TLS handshake (SNI).")
        case .tooManyConnections:
            Words(
                title: "Too many connections", reason: "This tunnel has as many connections as it takes.",
                forVisitor: "Try again in a moment.")
        case .tooManyRequests:
            Words(
                title: "Too many requests", reason: "This tunnel gets more requests in a second than it takes.",
                forVisitor: "Try again in a moment, and more slowly.",
                forOwner: "Ask whoever runs the service to raise limit_requests_per_second_per_tunnel.")
        case .unsupportedMethod:
            Words(
                title: "Method not supported", reason: "A request with this method cannot pass through a tunnel.",
                forVisitor: "Use another method.")
        case .malformedUpgrade:
            Words(
                title: "Malformed upgrade", reason: "The request asks for a WebSocket without a proper Sec-WebSocket-Key.",
                forVisitor: "Send 16 random bytes in base64, as RFC 6455 section 4.1 says.")
        case .agentWithoutTrailers:
            Words(
                title: "No gRPC here", reason: "The agent of this tunnel carries no trailers, and so no calls of gRPC.",
                forVisitor: "Tell the tunnel's owner.",
                forOwner: "Serve it with culvert http h2c://HOST:PORT, of this version or a later one.")
        case .unsupportedWebSocketVersion:
            Words(
                title: "WebSocket version not supported",
                reason: "The request asks for a WebSocket of another version than 13, the only one here.",
                forVisitor: "Send Sec-WebSocket-Version: 13.")
        }
    }
}
