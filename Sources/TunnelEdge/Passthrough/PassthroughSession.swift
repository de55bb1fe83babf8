internal import HTTPTransport
internal import LinuxIO
internal import TunnelWire

/// A third party's TLS connection that is carried to its agent as it is, from its arrival to its end.
///
/// Not a byte of it is read before the agent has bound its end: until then it lies in the kernel, ClientHello and all.
final class PassthroughSession {
    let number: UInt64
    /// The id of the request that offers it to the agent; the id of the stream is made of it.
    let id: String
    let serverName: String
    let peerAddress: String
    private let pump: TCPPump
    private unowned let site: TunnelSite
    private let loop: Loop
    private var bindTimer: TimerID?
    private var intake: HTTPStream?
    /// The agent has been told of it.
    private(set) var wasHanded = false
    private var wasBound = false
    /// The number of the stream that has told the agent of it.
    private(set) var intakeID: Int32 = 0

    init(
        number: UInt64, id: String, serverName: String, peerAddress: String, pump: TCPPump, site: TunnelSite, loop: Loop
    ) {
        self.number = number
        self.id = id
        self.serverName = serverName
        self.peerAddress = peerAddress
        self.pump = pump
        self.site = site
        self.loop = loop
        bindTimer = loop.schedule(after: .seconds(site.passthroughSettings.bindSecondsMax)) { [self] in
            bindTimer = nil
            site.abandoned(self)
            refuse()
        }
    }

    static let idPrefix: StaticString = "tcp-"

    /// Waits for the agent, with or without an intake; nothing else is to be waited for while a service drains.
    var isWaiting: Bool { !wasBound }

    /// Tells the agent on the intake's stream; it has to bind its end.
    func hand(to stream: HTTPStream, envelope: HTTPFields) {
        wasHanded = true
        intake = stream
        stream.receiver = self
        stream.respond(HTTPResponseHead(status: 200, fields: envelope), isEnd: true)
    }

    /// Takes the agent's end; false when there is one already, or the third party is gone.
    func bind(_ stream: HTTPStream, framing: TCPBridgeFraming, fields: HTTPFields) -> Bool {
        guard wasHanded, !wasBound, pump.takesBridge else { return false }
        wasBound = true
        stopWaiting()
        stream.respond(HTTPResponseHead(status: 200, fields: fields), isEnd: false)
        pump.attach(bridge: stream, framing: framing)
        return true
    }

    /// The agent is away, or did not come in time: TLS has a word for that.
    func refuse() {
        stopWaiting()
        pump.end(saying: TLSAlert.internalError.record)
    }

    /// Ends it from here, as when the service drains.
    func close(_ code: WebSocketCloseCode) { pump.close(code) }

    func stopWaiting() {
        if let bindTimer { loop.cancel(bindTimer) }
        bindTimer = nil
    }
}

extension PassthroughSession: HTTPStreamReceiver {
    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) { stream.consume(bytes.count) }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {}
    func streamSent(byteCount: Int, on stream: HTTPStream) {}

    /// The intake is through; with an error the agent took it back before it learned of the third party.
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        guard stream === intake else { return }
        intake = nil
        intakeID = (stream as? HTTP2Stream)?.id ?? 0
        if error != nil { takenBack() }
    }

    /// The agent took the intake back: nothing has begun before it binds, so the next one is told.
    func takenBack() {
        guard !wasBound, bindTimer != nil else { return }
        wasHanded = false
        intakeID = 0
        site.handFailed(self)
    }
}
