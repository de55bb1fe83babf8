internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelWire

/// A request on its way to whatever answers it.
struct OriginRequest {
    var envelope: RequestEnvelope
    /// The third party's fields, as the agent's rules leave them.
    var fields: HTTPFields
    /// Nothing follows the head.
    var isEnd: Bool
    /// Trailers of the response reach a third party that wants them.
    var acceptsTrailers: Bool
}

/// Hears what comes of a request, on the loop.
protocol OriginListener: AnyObject {
    func originResponded(_ head: HTTPResponseHead)
    /// The target has opened a WebSocket; these fields go into the third party's answer.
    func originAcceptedWebSocket(_ fields: HTTPFields)
    func originWrote(_ bytes: Span<UInt8>)
    func originFinished(trailers: HTTPFields?)
    /// Request bytes have reached the origin: as many more may come.
    func originSent(_ byteCount: Int)
    func originFailed(_ failure: OriginFailure)
}

extension Exchange: OriginListener {}

/// Where the agent's end of a WebSocket's bridge comes from.
protocol WebSocketBridgeSource {
    /// Begins an exchange that is the bridge once its head with status 200 has come; nil when there is none to be had.
    func bind(webSocketID id: String, receiver: any HTTPStreamReceiver) -> HTTPStream?
}

extension AgentSession: WebSocketBridgeSource {}

/// What answers one request: a connection to the target, or the task of a handler closure.
///
/// It tells its listener, on the loop; after `abort` it is silent.
protocol ExchangeOrigin: AnyObject {
    func begin(_ request: OriginRequest)
    /// Takes the bytes; `Exchange.originSent` tells when they have gone on.
    func write(_ bytes: Span<UInt8>)
    func finish(trailers: HTTPFields?)
    /// Response bytes have left the agent: as many more may come.
    func consume(_ byteCount: Int)
    /// Nobody wants the response any more.
    func abort()
}

/// The agent's end of a WebSocket that was accepted.
protocol WebSocketEnd: AnyObject {
    /// Joins it with the server's end, on the connection that took the reply.
    func bind(_ id: String, on source: any WebSocketBridgeSource)
}

/// Why an origin gave no response, or not all of it.
struct OriginFailure: Equatable {
    /// What goes into `inkbox-reason`.
    enum Reason: String {
        case targetUnreachable = "target-unreachable"
        case targetFailed = "target-failed"
        case badResponse = "target-bad-response"

        var notice: TunnelNotice {
            switch self {
            case .targetUnreachable: .targetUnreachable
            case .targetFailed: .targetFailed
            case .badResponse: .badResponse
            }
        }
    }

    var reason: Reason
    /// For the agent's log: what happened and what to do. It may name local addresses, so third parties never see it.
    var explanation: String
    /// How the origin broke off, where its protocol has words for that.
    var reset: StreamReset?
}

/// Makes the origin of each exchange.
final class OriginSource {
    private enum Source {
        /// With the connections that requests share, where the target speaks HTTP/2.
        case target(TargetPool, SharedConnections?, TargetManner)
        case handler(@Sendable (AgentRequest) async throws -> AgentResponse)
        /// Bytes only, no requests.
        case none
    }

    let rules: AgentRules
    private let source: Source
    private let configuration: AgentConfiguration
    private let loop: Loop

    init(server: AgentServer, rules: AgentRules, configuration: AgentConfiguration, loop: Loop) {
        self.configuration = configuration
        self.loop = loop
        self.rules = rules
        let url = configuration.publicURL
        let mark = url.firstRange(of: "://")
        let publicAuthority = mark.map { String(url[$0.upperBound...].prefix { $0 != "/" }) } ?? configuration.publicHost
        let scheme = mark.map { String(url[..<$0.lowerBound]) } ?? "https"
        source =
            switch server {
            case .target(let target, let addresses):
                Self.source(
                    TargetPool(target: target, addresses: addresses, limits: configuration.limits, loop: loop),
                    TargetManner(
                        target: target, publicAuthority: publicAuthority, scheme: scheme,
                        hostHeader: rules.hostHeader), configuration.limits, loop)
            case .handler(let handler): .handler(handler)
            case .tlsTarget: .none
            }
    }

    private static func source(_ pool: TargetPool, _ manner: TargetManner, _ limits: AgentLimits, _ loop: Loop) -> Source {
        switch manner.target.version {
        case .http1: .target(pool, nil, manner)
        case .http2: .target(pool, SharedConnections(pool: pool, limits: limits, loop: loop), manner)
        }
    }

    func origin(for exchange: any OriginListener, number: UInt64) -> any ExchangeOrigin {
        switch source {
        case .target(_, let shared?, let manner): StreamOrigin(exchange: exchange, connections: shared, manner: manner)
        case .target(let pool, nil, let manner): TargetOrigin(exchange: exchange, pool: pool, manner: manner)
        case .handler(let handler):
            HandlerOrigin(
                exchange: exchange, number: number, publicHost: configuration.publicHost,
                webSocketMessageByteCountMax: configuration.limits.webSocketMessageByteCountMax, loop: loop, handler: handler)
        case .none: NoOrigin(exchange: exchange)
        }
    }

    /// What opens a WebSocket for the exchange, or answers that there is none.
    func webSocketOrigin(for exchange: any OriginListener, number: UInt64) -> any ExchangeOrigin & WebSocketEnd {
        switch source {
        // A program that speaks HTTP/2 in clear text and WebSockets speaks HTTP/1.1 for those.
        case .target(let pool, _, let manner):
            WebSocketOrigin(
                exchange: exchange, pool: pool, manner: manner, limits: configuration.limits, loop: loop)
        case .handler(let handler):
            HandlerOrigin(
                exchange: exchange, number: number, publicHost: configuration.publicHost,
                webSocketMessageByteCountMax: configuration.limits.webSocketMessageByteCountMax, loop: loop, handler: handler)
        case .none: NoOrigin(exchange: exchange)
        }
    }

    func close() {
        switch source {
        case .target(let pool, let shared, _):
            pool.close()
            shared?.close()
        case .handler, .none: break
        }
    }
}

/// Answers requests at an agent that carries TLS connections only; a server sends it none.
private final class NoOrigin: ExchangeOrigin, WebSocketEnd {
    private unowned let exchange: any OriginListener

    init(exchange: any OriginListener) { self.exchange = exchange }

    func begin(_ request: OriginRequest) {
        exchange.originFailed(
            OriginFailure(reason: .targetUnreachable, explanation: "a plain request came to an agent that carries TLS only"))
    }
    func write(_ bytes: Span<UInt8>) {}
    func finish(trailers: HTTPFields?) {}
    func consume(_ byteCount: Int) {}
    func abort() {}
    func bind(_ id: String, on source: any WebSocketBridgeSource) {}
}
