package enum HTTP1Version: Sendable, Hashable { case http10, http11 }

/// How many body bytes follow a head, and how their end is known (RFC 9112 §6.3).
package enum HTTP1BodyLength: Sendable, Hashable {
    case none
    case length(Int)
    case chunked
    /// Responses only: everything until the peer closes.
    case untilClose
}

/// What the framing fields of a request say, so that nobody reads them twice.
package struct HTTP1RequestFacts: Sendable, Hashable {
    package var version: HTTP1Version
    package var bodyLength: HTTP1BodyLength
    /// Whether another request may follow on this connection.
    package var isKeepAlive: Bool
    /// The client waits for an interim 100 before it sends the body.
    package var expectsContinue: Bool
    /// The protocol asked for by `Upgrade`, in lower case, when `Connection` names it; `websocket` wins over others.
    package var upgrade: String?
}

/// What the framing fields of a response say.
package struct HTTP1ResponseFacts: Sendable, Hashable {
    package var version: HTTP1Version
    package var bodyLength: HTTP1BodyLength
    /// Whether another request may be sent on this connection.
    package var isKeepAlive: Bool
    /// A 1xx other than 101: the real answer is still to come.
    package var isInterim: Bool
    /// After a 101, or a 2xx to CONNECT: what follows is no longer HTTP.
    package var endsHTTP: Bool
    package var upgrade: String?
}
