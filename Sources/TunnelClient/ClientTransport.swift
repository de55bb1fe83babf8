/// Carries whole requests to a server; the port through which ``CulvertClient`` reaches the network.
public protocol ClientTransport: Sendable {
    /// Sends one request once and gives the final response, whatever its status.
    ///
    /// - Throws: ``TransportFailure`` when there is no response.
    func send(_ request: ClientRequest) async throws -> ClientResponse
}

/// A request to the REST API, body and all.
public struct ClientRequest: Sendable {
    public var server: ServerURL
    public var method: String
    /// Path and query, as they go on the wire.
    public var target: String
    /// In order; names in lower case. `host` and `content-length` are the transport's business.
    public var fields: [(name: String, value: String)]
    public var body: [UInt8]

    /// A request with every member given.
    public init(
        server: ServerURL, method: String, target: String, fields: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        self.server = server
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
    }

    /// The value of the first field with this lower-case name, or nil.
    public func first(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// A response of the REST API, body and all.
public struct ClientResponse: Sendable {
    public var status: Int
    /// In order; names in lower case.
    public var fields: [(name: String, value: String)]
    public var body: [UInt8]

    /// A response with every member given.
    public init(status: Int, fields: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The value of the first field with this lower-case name, or nil.
    public func first(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// Why a request got no response.
public enum TransportFailure: Error, Sendable, Hashable {
    /// No connection: the name does not resolve, or nobody listens there. The request was not sent.
    case unreachable(reason: String)
    /// The server's certificate does not chain to a trusted authority, or names another host. The request was not sent.
    case untrustedCertificate(reason: String)
    /// The connection ended before the response was complete; the server may have acted on the request.
    case connectionLost(reason: String)
    case timedOut(afterSeconds: Int)
}
