internal import HTTPTransport
internal import LinuxIO
internal import TLS
internal import TunnelWire

/// Whose certificates the client accepts.
public enum ClientTrust: Sendable, Hashable {
    /// The authorities that the system trusts.
    case system
    /// The authorities in this PEM file, and no others.
    case authorities(file: String)
}

/// The real transport: HTTP/1.1 over TLS 1.2 or newer, or in clear text for loopback, on a thread of its own.
public final class NetworkTransport: ClientTransport {
    private let loop: EventLoop
    private let client: HTTPClient
    private let context: TLSContext
    private let timeoutSeconds: Int

    /// A transport that gives each request up to `timeoutSeconds`, connecting included; a stream so long for its head, and
    /// ``streamSilenceSecondsMax`` between any two pieces of its body.
    ///
    /// - Throws: ``NetworkTransportError`` when the trusted certificates cannot be read, or the system has no room.
    public init(trust: ClientTrust = .system, timeoutSeconds: Int = 30) throws(NetworkTransportError) {
        self.timeoutSeconds = timeoutSeconds
        do { loop = try EventLoop() } catch { throw .noResources("\(error)") }
        do {
            let trust: TLSContext.Trust =
                switch trust {
                case .system: .system
                case .authorities(let file): .file(file)
                }
            client = try HTTPClient(eventLoop: loop, trust: trust)
            context = try TLSContext.client(applicationProtocols: ["http/1.1"], trust: trust)
        } catch {
            loop.stop()
            throw .unreadableAuthorities("\(error)")
        }
    }

    deinit { loop.stop() }

    /// A stream that is silent for longer is taken for dead; servers send a comment more often than that.
    public static let streamSilenceSecondsMax = 60

    /// Sends the request to the first of the server's addresses that takes a connection.
    public func send(_ request: ClientRequest) async throws -> ClientResponse {
        try await first(of: addresses(of: request.server)) { try await send(request, to: $0) }
    }

    /// Sends the request to the first of the server's addresses that takes a connection, and reads its body as it comes.
    public func stream(_ request: ClientRequest) async throws -> StreamedResponse {
        try await first(of: addresses(of: request.server)) { address in
            let (head, endpoint) = Self.message(request, to: address)
            let exchange = StreamedExchange(
                loop: loop, timeoutSeconds: timeoutSeconds, silenceSeconds: Self.streamSilenceSecondsMax)
            let response = try await exchange.begin(head, body: request.body, at: endpoint, context)
            return StreamedResponse(
                status: response.status, fields: response.fields.pairs.map { ($0.name, $0.value) }, body: exchange)
        }
    }

    private func first<Response>(
        of addresses: [SocketAddress], _ attempt: (SocketAddress) async throws -> Response
    ) async throws -> Response {
        var failure = TransportFailure.unreachable(reason: "it has no address")
        for address in addresses {
            do {
                return try await attempt(address)
            } catch let error as HTTPClientError {
                failure = Self.failure(error, timeoutSeconds)
                guard case .unreachable = failure else { throw failure }
            }
        }
        throw failure
    }

    private func addresses(of server: ServerURL) async throws -> [SocketAddress] {
        guard let port = UInt16(exactly: server.port) else { throw TransportFailure.unreachable(reason: "no such port") }
        let host = server.host
        if let ip = SocketAddress.IP(v4: host) ?? SocketAddress.IP(v6: host) { return [SocketAddress(ip: ip, port: port)] }
        do {
            return try await Task.detached { try AddressResolver.resolve(host, port: port) }.value
        } catch {
            throw TransportFailure.unreachable(reason: "\(error)")
        }
    }

    private func send(_ request: ClientRequest, to address: SocketAddress) async throws -> ClientResponse {
        let (head, endpoint) = Self.message(request, to: address)
        let response = try await client.send(head, body: request.body, to: endpoint, timeoutSeconds: timeoutSeconds)
        return ClientResponse(
            status: response.head.status, fields: response.head.fields.pairs.map { ($0.name, $0.value) }, body: response.body)
    }

    private static func message(_ request: ClientRequest, to address: SocketAddress) -> (HTTPRequestHead, HTTPEndpoint) {
        let server = request.server
        var head = HTTPRequestHead(
            method: request.method, target: request.target, authority: server.authority, scheme: server.scheme.rawValue)
        for field in request.fields { head.fields.append(name: field.name, value: field.value) }
        return (head, HTTPEndpoint(address: address, host: server.host, isTLS: server.scheme == .https))
    }

    static func failure(_ error: HTTPClientError, _ timeoutSeconds: Int) -> TransportFailure {
        switch error {
        case .unreachable(.tls(let error)): .untrustedCertificate(reason: "\(error)")
        case .unreachable(let error): .unreachable(reason: "\(error)")
        case .broken(let error): .connectionLost(reason: "\(error)")
        case .responseTooLarge: .connectionLost(reason: "\(error)")
        case .timedOut(let seconds): .timedOut(afterSeconds: seconds)
        case .illegalRequest(let why): .connectionLost(reason: why)
        }
    }
}

/// Why a transport could not be made.
public enum NetworkTransportError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file of trusted certificates cannot be read, or holds none.
    case unreadableAuthorities(String)
    /// The system gave no thread or no descriptor.
    case noResources(String)

    public var description: String {
        switch self {
        case .unreadableAuthorities(let reason): "the trusted certificates cannot be read: \(reason)"
        case .noResources(let reason): "the system gave no resources for a connection: \(reason)"
        }
    }
}
