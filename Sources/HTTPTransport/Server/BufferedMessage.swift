package import TunnelWire

/// Who is at the other end of a connection.
package struct Peer: Sendable, Hashable {
    /// The IP address as text, without port or scope: `192.0.2.7`, `2001:db8::7`; for a Unix socket `unix`.
    package var address: String
    package var isTLS: Bool
    package var isLoopback: Bool

    package init(address: String, isTLS: Bool, isLoopback: Bool) {
        self.address = address
        self.isTLS = isTLS
        self.isLoopback = isLoopback
    }
}

/// A whole request whose body was small enough to be kept in memory; what the REST API works on.
package struct BufferedRequest: Sendable {
    package var head: HTTPRequestHead
    package var body: [UInt8]
    /// The body is larger than is kept in memory, by announcement or in fact; `body` is empty then.
    package var isBodyTooLarge: Bool
    package var peer: Peer
    /// Goes into `X-Request-Id`, logs and problem documents.
    package var requestID: String

    package init(head: HTTPRequestHead, body: [UInt8], isBodyTooLarge: Bool = false, peer: Peer, requestID: String) {
        self.head = head
        self.body = body
        self.isBodyTooLarge = isBodyTooLarge
        self.peer = peer
        self.requestID = requestID
    }
}

/// A body that is made while it is sent, as fast as the client takes it.
package protocol ResponseBodySource: Sendable {
    /// The next part, at least one byte; nil ends the body. It is asked for one part at a time, when the one before has left.
    func next() async -> [UInt8]?
    /// Nobody wants more: a `next` that is under way returns soon.
    func cancel()
}

/// A whole response, or its beginning.
package struct BufferedResponse: Sendable {
    package var head: HTTPResponseHead
    package var body: [UInt8]
    /// The peer sent more of the body than was wanted; see `BodyKeeping`.
    package var isBodyCut = false
    /// What comes after `body`; nil when that is all.
    package var rest: (any ResponseBodySource)?

    package init(
        status: Int, fields: HTTPFields = HTTPFields(), body: [UInt8] = [], rest: (any ResponseBodySource)? = nil
    ) {
        head = HTTPResponseHead(status: status, fields: fields)
        self.body = body
        self.rest = rest
    }
}

/// Answers whole requests, away from the event loops; errors are answers too, so it never throws.
package protocol BufferedRequestHandler: Sendable {
    func respond(to request: BufferedRequest) async -> BufferedResponse
}
