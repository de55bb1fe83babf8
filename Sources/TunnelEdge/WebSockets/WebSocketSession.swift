internal import HTTPTransport
internal import LinuxIO
internal import TunnelWire

/// A third party's open WebSocket, from the agent's acceptance to its end.
final class WebSocketSession {
    let id: String
    private let pump: WebSocketPump
    private let loop: Loop
    private var wasBound = false
    private var bindTimer: TimerID?

    /// Opens the WebSocket; the agent has so many seconds to bind its end, then the third party gets 4504.
    init(
        _ offer: WebSocketOffer, thirdParty: HTTPStream, settings: WebSocketSettings, loop: Loop,
        whenOver: @escaping (WebSocketSession) -> Void
    ) {
        id = offer.id
        self.loop = loop
        let end = End()
        pump = WebSocketPump(
            .edge(messageByteCountMax: settings.messageByteCountMax), peer: thirdParty, settings: settings.pump, loop: loop
        ) { end.reached() }
        end.session = self
        end.whenOver = whenOver
        bindTimer = loop.schedule(after: .seconds(settings.bindSecondsMax)) { [self] in
            bindTimer = nil
            close(WebSocketClose(.bindTimedOut))
            pump.bridgeLost()
        }
    }

    /// What to do at the end, as the pump is made before its session is.
    private final class End {
        var session: WebSocketSession?
        var whenOver: ((WebSocketSession) -> Void)?

        func reached() {
            guard let session else { return }
            self.session = nil
            session.stopWaiting()
            whenOver?(session)
        }
    }

    /// The third party has its answer; bytes that came before it are taken first.
    func begin(with early: [UInt8]) { pump.takeEarly(early) }

    /// Takes the agent's end; false when there is one already, or it comes too late.
    func bind(_ stream: HTTPStream, takesWholesOnly: Bool) -> Bool {
        guard !wasBound, pump.takesBridge else { return false }
        wasBound = true
        stopWaiting()
        stream.respond(HTTPResponseHead(status: 200), isEnd: false)
        pump.attach(bridge: stream, takesWholesOnly: takesWholesOnly)
        return true
    }

    func close(_ close: WebSocketClose) { pump.close(close) }

    /// The bytes that it keeps for either end.
    var heldByteCount: Int { pump.heldByteCount }

    private func stopWaiting() {
        if let bindTimer { loop.cancel(bindTimer) }
        bindTimer = nil
    }
}
