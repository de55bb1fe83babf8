internal import HTTPTransport
internal import LinuxIO
internal import TLS
internal import TunnelDomain
internal import TunnelWire

/// Who ends the TLS of a passthrough tunnel's third parties.
enum PassthroughWork: Sendable {
    /// This agent, which has the requests answered as in edge mode.
    case here(TLSContext)
    /// A local TLS server: the bytes go to it as they are.
    case target(AgentTarget, [TargetAddress])
}

/// Takes third parties whose TLS the server has not ended, on the agent's loop.
final class PassthroughFront {
    /// Third parties at a time; each holds one stream of the agent's connection.
    static let connectionsMax = 1_024

    let core: AgentCore
    private let work: PassthroughWork
    private let settings: HTTPServerSettings
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private(set) var connectionCount = 0
    private(set) var exchangeCount = 0

    init(_ work: PassthroughWork, core: AgentCore) {
        self.core = core
        self.work = work
        var settings = HTTPServerSettings()
        settings.http2.concurrentStreamsMax = 128
        settings.http2.offersExtendedConnect = true
        self.settings = settings
    }

    /// TLS is ended by somebody else.
    var carriesOnly: Bool { if case .target = work { true } else { false } }
    var isFull: Bool { connectionCount >= Self.connectionsMax }
    var isIdle: Bool { exchangeCount == 0 }

    /// Fetches the third party that an intake has announced.
    func begin(_ envelope: RequestEnvelope, on session: AgentSession) {
        connectionCount += 1
        switch work {
        case .here: BindExchange(self, envelope, framing: session.framing).begin(on: session)
        case .target(let target, let addresses):
            CarriedConnection(self, envelope, framing: session.framing, target: target).begin(on: session, addresses)
        }
    }

    /// Fetches a third party that may not come in, and tells it by a TLS alert.
    func refuse(_ envelope: RequestEnvelope, _ why: String, on session: AgentSession) {
        guard case .target(let target, _) = work else { preconditionFailure("requests are refused where they can be read") }
        connectionCount += 1
        CarriedConnection(self, envelope, framing: session.framing, target: target).refuse(why, on: session)
    }

    func connectionOver() {
        connectionCount -= 1
        core.passthroughHasRoom()
    }

    /// Takes nothing new on the connections that are open, and closes them when they are idle.
    func drain() {
        for connection in connections.values { connection.drain() }
    }

    /// The connection below ends soon: third parties are told to open new ones, which come by another way.
    func move() {
        for connection in connections.values { connection.drainPolitely(silenceMax: Self.silenceMax) }
    }

    /// How long a silent third party that was told nothing yet is kept, as it may be about to ask.
    private static let silenceMax: Duration = .seconds(3)

    /// The server has handed the third party over: TLS is ended here.
    func serve(_ stream: HTTPStream, _ framing: TCPBridgeFraming, _ party: ThirdParty) {
        guard case .here(let context) = work else { preconditionFailure("a local TLS server has its own connections") }
        HTTPServerChannel.open(
            overBridge: stream, framing: framing, from: .loopback(port: 0), on: core.loop, tls: context, settings: settings,
            handler: self, context: party)
    }

    // MARK: Exchanges

    func exchangeBegan() { exchangeCount += 1 }

    func exchangeOver() {
        exchangeCount -= 1
        core.passthroughIsIdle()
    }
}

/// Whom a connection was opened for.
final class ThirdParty {
    /// The third party's IP address as the server saw it.
    let address: String

    init(address: String) { self.address = address }
}

extension PassthroughFront: HTTPServerHandler {
    func connectionOpened(_ connection: HTTPConnection) { connections[ObjectIdentifier(connection)] = connection }

    func connectionFailed(_ context: AnyObject?, error: ChannelError?) { connectionOver() }

    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        connections[ObjectIdentifier(connection)] = nil
        connectionOver()
    }

    func accept(_ head: HTTPRequestHead, isEnd: Bool, on stream: HTTPStream) -> any HTTPStreamReceiver {
        let address = (stream.connection.context as? ThirdParty)?.address ?? ""
        let exchange = TerminatedExchange(self, head, clientAddress: address, on: stream)
        stream.receiver = exchange
        exchange.begin(isEnd: isEnd)
        return exchange
    }
}

/// The bind of a third party's stream, until the server has answered it.
private final class BindExchange: HTTPStreamReceiver {
    private let front: PassthroughFront
    private let envelope: RequestEnvelope
    private let framing: TCPBridgeFraming
    private var isOver = false

    init(_ front: PassthroughFront, _ envelope: RequestEnvelope, framing: TCPBridgeFraming) {
        self.front = front
        self.envelope = envelope
        self.framing = framing
    }

    func begin(on session: AgentSession) {
        guard let id = envelope.tcpID, session.bind(tcpID: id, receiver: self) != nil else { return lose() }
    }

    private func lose() {
        guard !isOver else { return }
        isOver = true
        front.connectionOver()
    }

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard head.status >= 200, !isOver else { return }
        // The third party is gone, or was told to go.
        guard head.status == 200 else { return stream.reset(.cancel) }
        isOver = true
        front.serve(stream, framing, ThirdParty(address: envelope.forwardedFor ?? ""))
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) { stream.consume(bytes.count) }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) { stream.reset(.cancel) }
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) { lose() }
}
