/// A third party's request as it travels to the agent in the header of an intake's answer (data plane §3).
package struct RequestEnvelope: Sendable {
    package enum RouteKind: String, Sendable, Hashable, CaseIterable {
        case webhook
        case webSocketUpgrade = "ws-upgrade"
        case tcpStream = "tcp-stream"
    }

    /// Opaque, given out by the server, part of the reply's path; token bytes only.
    package var requestID: String
    package var method: String
    /// Path and query as the third party sent them.
    package var path: String
    package var routeKind: RouteKind
    package var webSocketID: String?
    package var tcpID: String?
    package var sniHost: String?
    /// The third party's IP address.
    package var forwardedFor: String?
    /// The third party's fields, without `content-length` and without what belongs to a connection.
    package var fields: HTTPFields
    /// The third party's `content-length`, when it sent one.
    package var contentLength: Int?
    /// The third party takes trailers (`te`), and the server said so: both ends know the feature `trailers`.
    package var acceptsTrailers = false

    /// The part of a field name that marks a carried field.
    package static let fieldPrefix: StaticString = "inkbox-h-"
}
