internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelWire

/// A request on its way to whatever answers it.
struct OriginRequest {
    var envelope: RequestEnvelope
    /// Nothing follows the head.
    var isEnd: Bool
}

/// What answers one request: a connection to the target, or the task of a handler closure.
///
/// It calls the exchange's `origin…` methods, on the loop; after `abort` it is silent.
protocol ExchangeOrigin: AnyObject {
    func begin(_ request: OriginRequest)
    /// Takes the bytes; `Exchange.originSent` tells when they have gone on.
    func write(_ bytes: Span<UInt8>)
    func finish()
    /// Response bytes have left the agent: as many more may come.
    func consume(_ byteCount: Int)
    /// Nobody wants the response any more.
    func abort()
}

/// Why an origin gave no response, or not all of it.
struct OriginFailure: Equatable {
    /// What goes into `inkbox-reason`.
    enum Reason: String {
        case targetUnreachable = "target-unreachable"
        case targetFailed = "target-failed"
        case badResponse = "target-bad-response"
    }

    var reason: Reason
    /// For the agent's log: what happened and what to do. It may name local addresses, so third parties never see it.
    var explanation: String
}

/// Makes the origin of each exchange.
final class OriginSource {
    private enum Source {
        case target(TargetPool)
        case handler(@Sendable (AgentRequest) async throws -> AgentResponse)
    }

    private let source: Source
    private let configuration: AgentConfiguration
    private let loop: Loop
    /// Host and port of the public URL, for `X-Forwarded-Host`.
    private let publicAuthority: String
    private let scheme: String

    init(server: AgentServer, configuration: AgentConfiguration, loop: Loop) {
        self.configuration = configuration
        self.loop = loop
        let url = configuration.publicURL
        let mark = url.firstRange(of: "://")
        publicAuthority = mark.map { String(url[$0.upperBound...].prefix { $0 != "/" }) } ?? configuration.publicHost
        scheme = mark.map { String(url[..<$0.lowerBound]) } ?? "https"
        source =
            switch server {
            case .target(let target, let addresses):
                .target(TargetPool(target: target, addresses: addresses, limits: configuration.limits, loop: loop))
            case .handler(let handler): .handler(handler)
            }
    }

    func origin(for exchange: Exchange, number: UInt64) -> any ExchangeOrigin {
        switch source {
        case .target(let pool): TargetOrigin(exchange: exchange, pool: pool, publicAuthority: publicAuthority, scheme: scheme)
        case .handler(let handler):
            HandlerOrigin(
                exchange: exchange, number: number, publicHost: configuration.publicHost, door: loop.door, handler: handler)
        }
    }

    func close() {
        switch source {
        case .target(let pool): pool.close()
        case .handler: break
        }
    }
}
