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

/// A whole response.
package struct BufferedResponse: Sendable {
    package var head: HTTPResponseHead
    package var body: [UInt8]

    package init(status: Int, fields: HTTPFields = HTTPFields(), body: [UInt8] = []) {
        head = HTTPResponseHead(status: status, fields: fields)
        self.body = body
    }
}

/// Answers whole requests, away from the event loops; errors are answers too, so it never throws.
package protocol BufferedRequestHandler: Sendable {
    func respond(to request: BufferedRequest) async -> BufferedResponse
}
