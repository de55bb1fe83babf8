/// A third party's request, as a handler closure gets it.
public struct AgentRequest: Sendable {
    /// The server's id of the request.
    public let id: String
    public let method: String
    /// Path and query as the third party sent them, percent-encoding untouched.
    public let path: String
    /// The header fields in order, repeats kept, names in lower case; hop-by-hop fields and Host are not among them.
    public let fields: [AgentField]
    /// The third party's IP address as the server saw it.
    public let forwardedFor: String
    /// The host that the third party called.
    public let publicHost: String
    /// The third party asks for a WebSocket: answer with ``AgentResponse/webSocket(subprotocol:fields:_:)`` to open it, or with
    /// any other response to refuse.
    public let asksForWebSocket: Bool
    /// The request's body, piece by piece as it comes; reading it is what makes more come.
    public let body: AgentRequestBody

    /// The subprotocols that the third party offers for its WebSocket, in its order of preference.
    public var subprotocols: [String] {
        fields.filter { $0.name == "sec-websocket-protocol" }.flatMap { field in
            field.value.split(separator: ",").map { String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
        }
    }

    /// The value of the first field with this lower-case name, or nil.
    public func first(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// One header field.
public struct AgentField: Sendable, Hashable {
    /// In lower case.
    public var name: String
    public var value: String

    /// A field as it is; names are folded to lower case, and illegal ones make the response a 502.
    public init(_ name: String, _ value: String) {
        self.name = name.lowercased()
        self.value = value
    }
}

/// What a handler closure answers.
public struct AgentResponse: Sendable {
    /// Where the body comes from.
    public enum Body: Sendable {
        case bytes([UInt8])
        /// Called once; what it writes goes out as it is written. The response ends when the closure returns, and breaks off
        /// for the third party when it throws.
        case stream(@Sendable (AgentResponseWriter) async throws -> Void)
        /// Called once, when the WebSocket is open; it ends when the closure returns. Only for a request that asks for one.
        case webSocket(@Sendable (AgentWebSocket) async throws -> Void)
    }

    /// 200...599.
    public var status: Int
    public var fields: [AgentField]
    public var body: Body

    /// A response with a body that is complete.
    public init(status: Int, fields: [AgentField] = [], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = .bytes(body)
    }

    /// A response with a body that is written piece by piece: server-sent events, large downloads.
    public init(
        status: Int, fields: [AgentField] = [], stream: @escaping @Sendable (AgentResponseWriter) async throws -> Void
    ) {
        self.status = status
        self.fields = fields
        body = .stream(stream)
    }

    /// Opens the WebSocket that the request asks for, and serves it with the closure.
    ///
    /// - Parameter subprotocol: one of those that were offered; with any other the third party gets 502.
    public static func webSocket(
        subprotocol: String? = nil, fields: [AgentField] = [],
        _ serve: @escaping @Sendable (AgentWebSocket) async throws -> Void
    ) -> AgentResponse {
        var response = AgentResponse(status: 200, fields: fields)
        if let subprotocol { response.fields.append(AgentField("sec-websocket-protocol", subprotocol)) }
        response.body = .webSocket(serve)
        return response
    }
}

/// Why a body cannot be read or written any further.
public enum AgentBodyError: Error, Sendable, Hashable {
    /// The third party went away, or the connection to the server was lost.
    case thirdPartyGone
}
