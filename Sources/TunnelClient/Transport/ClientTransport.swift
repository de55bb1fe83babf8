internal import Synchronization

/// Carries whole requests to a server; the port through which ``CulvertClient`` reaches the network.
public protocol ClientTransport: Sendable {
    /// Sends one request once and gives the final response, whatever its status.
    ///
    /// - Throws: ``TransportFailure`` when there is no response.
    func send(_ request: ClientRequest) async throws -> ClientResponse

    /// Sends one request once and gives the response as soon as its head has come; the body follows as it arrives.
    ///
    /// A transport that implements only ``send(_:)`` gives the body in one piece, which no endless response ever becomes.
    ///
    /// - Throws: ``TransportFailure`` when there is no response.
    func stream(_ request: ClientRequest) async throws -> StreamedResponse
}

extension ClientTransport {
    /// Sends the request and gives its body in one piece.
    public func stream(_ request: ClientRequest) async throws -> StreamedResponse {
        let response = try await send(request)
        return StreamedResponse(status: response.status, fields: response.fields, body: WholeBody(response.body))
    }
}

/// A response whose body is still on its way.
public struct StreamedResponse: Sendable {
    /// So much of a refusal is read, and no more.
    static let refusalByteCountMax = 64 * 1024

    public var status: Int
    /// In order; names in lower case.
    public var fields: [(name: String, value: String)]
    public var body: any StreamedBody

    /// A response with every member given.
    public init(status: Int, fields: [(name: String, value: String)] = [], body: any StreamedBody) {
        self.status = status
        self.fields = fields
        self.body = body
    }
}

/// The body of a response, piece by piece. Letting go of it ends the response.
public protocol StreamedBody: AnyObject, Sendable {
    /// The next bytes, at least one; nil once the body is complete.
    ///
    /// - Throws: ``TransportFailure`` when the rest does not come; `CancellationError` when the task is cancelled.
    func next() async throws -> [UInt8]?
}

/// A body that is there already.
final class WholeBody: StreamedBody {
    private let bytes: Mutex<[UInt8]?>

    init(_ bytes: [UInt8]) { self.bytes = Mutex(bytes.isEmpty ? nil : bytes) }

    func next() async throws -> [UInt8]? {
        bytes.withLock { left in
            defer { left = nil }
            return left
        }
    }
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
