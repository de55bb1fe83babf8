internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelWire

/// A third party's TLS connection on its way to a local TLS server, byte by byte as it is.
///
/// The server's end and the target's are opened at the same time. That a target cannot be reached, or that the third party may
/// not come in, is told by a TLS alert: there is nobody else who could.
final class CarriedConnection {
    private let front: PassthroughFront
    private let envelope: RequestEnvelope
    private let framing: TCPBridgeFraming
    private let target: AgentTarget
    private let loop: Loop
    private let startedAt: MonotonicInstant

    // The server's end.
    private var stream: HTTPStream?
    private var isBound = false
    /// What the third party sent before the target was reached, bounded by its window.
    private var early: [UInt8] = []
    private var hasEnded = false

    // The target's end.
    private var addresses: ArraySlice<TargetAddress> = []
    private var channel: Channel?
    private var isConnected = false
    private var timer: TimerID?
    private var lastError = ChannelError.aborted("it has no address")
    private var problem: String?
    /// What the third party is told when there is a problem.
    private var alert = TLSAlert.internalError

    private var pump: TCPPump?
    private var isOver = false

    init(_ front: PassthroughFront, _ envelope: RequestEnvelope, framing: TCPBridgeFraming, target: AgentTarget) {
        self.front = front
        self.envelope = envelope
        self.framing = framing
        self.target = target
        loop = front.core.loop
        startedAt = loop.now
    }

    func begin(on session: AgentSession, _ addresses: [TargetAddress]) {
        guard let id = envelope.tcpID, let stream = session.bind(tcpID: id, receiver: self) else {
            return end("the connection to the server takes nothing more")
        }
        self.stream = stream
        self.addresses = addresses[...]
        let secondsMax = front.core.configuration.limits.targetConnectSecondsMax
        timer = loop.schedule(after: .seconds(secondsMax)) { [self] in
            self.addresses = []
            channel?.abort(.timedOut("a connection for \(secondsMax) s"))
        }
        tryNext()
    }

    /// Tells the third party that it may not come in, and never asks the target.
    func refuse(_ why: String, on session: AgentSession) {
        alert = .accessDenied
        problem = why
        guard let id = envelope.tcpID, let stream = session.bind(tcpID: id, receiver: self) else {
            return end("the connection to the server takes nothing more")
        }
        self.stream = stream
    }

    private func tryNext() {
        while let address = addresses.popFirst() {
            do {
                channel = try connect(to: address)
                return
            } catch {
                lastError = error
            }
        }
        problem = "\(target.authority) cannot be reached: \(lastError)"
        joinIfReady()
    }

    private func connect(to address: TargetAddress) throws(ChannelError) -> Channel {
        switch address {
        case .ip(let address): try Channel.connect(to: address, on: loop, tls: nil, serverName: nil, handler: self)
        case .unixSocket(let path): try Channel.connect(toSocketAt: path, on: loop, handler: self)
        }
    }

    private func joinIfReady() {
        guard isBound, pump == nil, !isOver, let stream else { return }
        if let channel, isConnected {
            stopTimer()
            let pump = TCPPump(channel, settings: TCPPumpSettings()) { [self] in end(problem) }
            self.pump = pump
            pump.attach(bridge: stream, framing: framing)
            if !early.isEmpty { stream.receiver?.streamReceived(early.span, on: stream) }
            early = []
            if hasEnded { stream.receiver?.streamReceivedEnd(trailers: nil, on: stream) }
        } else if problem != nil {
            let bridge = TCPBridge(stream, framing: framing, owner: self)
            bridge.send(alert.record.span)
            bridge.leave()
            end(problem)
        }
    }

    private func stopTimer() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    private func end(_ problem: String?) {
        guard !isOver else { return }
        isOver = true
        stopTimer()
        if pump == nil { channel?.abort(.aborted("not wanted any more")) }
        channel = nil
        stream = nil
        front.core.emit(
            .connection(
                ConnectionReport(
                    id: envelope.requestID, serverName: envelope.sniHost ?? "", clientAddress: envelope.forwardedFor ?? "",
                    duration: loop.now - startedAt, receivedByteCount: pump?.byteCountFromBridge ?? 0,
                    sentByteCount: pump?.byteCountToBridge ?? 0, problem: problem)))
        pump = nil
        front.connectionOver()
    }
}

extension CarriedConnection: HTTPStreamReceiver {
    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard head.status >= 200 else { return }
        guard head.status == 200 else { return stream.reset(.cancel) }
        isBound = true
        joinIfReady()
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        bytes.withUnsafeBufferPointer { early.append(contentsOf: $0) }
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) { hasEnded = true }
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) { end("the third party went away") }
}

extension CarriedConnection: ChannelHandler {
    func channelOpened() {
        guard let channel, !isOver else { return }
        channel.pauseReading()
        isConnected = true
        joinIfReady()
    }

    func channelReceived(_ bytes: Span<UInt8>) {}
    func channelReachedEnd() {}
    func channelDrained() {}

    func channelClosed(_ error: ChannelError?) {
        channel = nil
        isConnected = false
        guard !isOver, pump == nil else { return }
        lastError = error ?? .closedByPeer
        tryNext()
    }
}

extension CarriedConnection: TCPBridgeOwner {
    // The bridge that carries a goodbye is left at once.
    func bridgeReceived(_ bytes: Span<UInt8>) {}
    func bridgeReachedEnd() {}
    func bridgeHasRoom() {}
    func bridgeClosed(_ ending: TCPBridge.Ending) {}
}
