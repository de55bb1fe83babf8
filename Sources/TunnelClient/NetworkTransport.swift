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
    private let timeoutSeconds: Int

    /// A transport that gives each request up to `timeoutSeconds`, connecting included.
    ///
    /// - Throws: ``NetworkTransportError`` when the trusted certificates cannot be read, or the system has no room.
    public init(trust: ClientTrust = .system, timeoutSeconds: Int = 30) throws(NetworkTransportError) {
        self.timeoutSeconds = timeoutSeconds
        do { loop = try EventLoop() } catch { throw .noResources("\(error)") }
        do {
            switch trust {
            case .system: client = try HTTPClient(eventLoop: loop, trust: .system)
            case .authorities(let file): client = try HTTPClient(eventLoop: loop, trust: .file(file))
            }
        } catch {
            loop.stop()
            throw .unreadableAuthorities("\(error)")
        }
    }

    deinit { loop.stop() }

    /// Sends the request to the first of the server's addresses that takes a connection.
    public func send(_ request: ClientRequest) async throws -> ClientResponse {
        var failure = TransportFailure.unreachable(reason: "it has no address")
        for address in try await addresses(of: request.server) {
            do {
                return try await send(request, to: address)
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
        let server = request.server
        var head = HTTPRequestHead(
            method: request.method, target: request.target, authority: server.authority, scheme: server.scheme.rawValue)
        for field in request.fields { head.fields.append(name: field.name, value: field.value) }
        let endpoint = HTTPEndpoint(address: address, host: server.host, isTLS: server.scheme == .https)
        let response = try await client.send(head, body: request.body, to: endpoint, timeoutSeconds: timeoutSeconds)
        return ClientResponse(
            status: response.head.status, fields: response.head.fields.pairs.map { ($0.name, $0.value) }, body: response.body)
    }

    private static func failure(_ error: HTTPClientError, _ timeoutSeconds: Int) -> TransportFailure {
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
