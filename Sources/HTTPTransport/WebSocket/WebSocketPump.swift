package import LinuxIO
internal import TunnelDomain
package import TunnelWire

/// The limits of one WebSocket on its way through a tunnel.
package struct WebSocketPumpSettings: Sendable {
    /// Seconds between pings to the peer; one that is not answered until the next ends the WebSocket. 0 for none.
    package var pingIntervalSeconds = 30
    /// Seconds that either end has to answer a close.
    package var closeSecondsMax = 5
    /// Bytes on their way to one end past which the other end is held up.
    package var backlogByteCountMax = 64 * 1024
    /// The largest envelope for an agent that credits envelopes only as wholes: half of such an agent's window.
    package var wholeEnvelopeByteCountMax = 32 * 1024

    package init() {}
}

/// Moves what a relay decides between a WebSocket's stream and its bridge's, and each end's credit with it.
///
/// The edge has one for each third party, the agent one for each target. It lives as long as one of its streams does.
package final class WebSocketPump: HTTPStreamReceiver {
    private let settings: WebSocketPumpSettings
    private let loop: Loop
    private var relay: WebSocketRelay
    private var actions: [WebSocketRelay.Action] = []

    private var peer: HTTPStream?
    private var bridge: HTTPStream?
    private var awaitsBridge = true
    /// The other side of the bridge credits an envelope only as a whole (data plane, section 6, window rule).
    private var takesWholesOnly = false
    /// Frames for the bridge that were not written yet, each of them indivisible.
    private var frames: [[UInt8]] = []
    private var framesByteCount = 0
    private var finishesBridge = false
    /// Bytes received that their sender may not replace by others yet.
    private var owedToPeer = 0
    private var owedToBridge = 0

    private var pingTimer: TimerID?
    private var closeTimer: TimerID?
    private var isDismissing = false
    private var isOver = false
    private var whenOver: (() -> Void)?

    /// - Parameter whenOver: called once, after the last stream has ended.
    package init(
        _ relay: WebSocketRelay, peer: HTTPStream, settings: WebSocketPumpSettings, loop: Loop,
        whenOver: @escaping () -> Void
    ) {
        self.relay = relay
        self.peer = peer
        self.settings = settings
        self.loop = loop
        self.whenOver = whenOver
        peer.receiver = self
        pingLater()
    }

    /// Whether a bridge can still be attached, if only to be told of the end.
    package var takesBridge: Bool { awaitsBridge && !isOver }

    /// The bytes that are kept here for either end: of messages that are not whole yet, and on their way.
    package var heldByteCount: Int {
        relay.heldByteCount + framesByteCount + (bridge?.unsentByteCount ?? 0) + (peer?.unsentByteCount ?? 0)
    }

    /// What can never reach this agent ends its WebSocket, and no other is disturbed.
    private func limitFrames() {
        let byteCountMax = settings.wholeEnvelopeByteCountMax
        relay.bridgeFrameByteCountMax = byteCountMax
        guard let first = frames.firstIndex(where: { $0.count > byteCountMax }) else { return }
        framesByteCount -= frames[first...].reduce(0) { $0 + $1.count }
        frames.removeSubrange(first...)
        relay.waitingDropped(into: &actions)
    }

    /// Sends and takes everything over this stream from now on; what has waited for it leaves.
    package func attach(bridge stream: HTTPStream, takesWholesOnly: Bool) {
        precondition(takesBridge, "a WebSocket has one bridge")
        bridge = stream
        awaitsBridge = false
        self.takesWholesOnly = takesWholesOnly
        stream.receiver = self
        if takesWholesOnly { limitFrames() }
        act()
    }

    /// Takes bytes of the peer that came before this was its receiver.
    package func takeEarly(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, let peer else { return }
        streamReceived(bytes.span, on: peer)
    }

    /// Ends the WebSocket from here.
    package func close(_ close: WebSocketClose) {
        relay.close(close, into: &actions)
        act()
    }

    /// There will be no bridge.
    package func bridgeLost() {
        guard awaitsBridge else { return }
        awaitsBridge = false
        relay.bridgeEnded(wasLost: true, into: &actions)
        act()
    }

    // MARK: HTTPStreamReceiver

    package func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        if stream === bridge {
            owedToBridge += bytes.count
            relay.receiveFromBridge(bytes, into: &actions)
        } else {
            owedToPeer += bytes.count
            relay.receiveFromPeer(bytes, into: &actions)
        }
        act()
    }

    package func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        if stream === bridge {
            relay.bridgeEnded(wasLost: false, into: &actions)
        } else if stream === peer {
            relay.peerEnded(into: &actions)
        }
        act()
    }

    package func streamSent(byteCount: Int, on stream: HTTPStream) { settle() }

    package func streamHasRoom(on stream: HTTPStream) { act() }

    package func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        if stream === bridge {
            bridge = nil
            relay.bridgeEnded(wasLost: error.isLoss, into: &actions)
        } else if stream === peer {
            peer = nil
            relay.peerEnded(into: &actions)
        }
        act()
    }
}

// MARK: - Acting

extension WebSocketPump {
    private func act() {
        repeat {
            let batch = actions
            actions.removeAll(keepingCapacity: true)
            for action in batch { act(on: action) }
            flush()
        } while !actions.isEmpty
        settle()
        if relay.isClosing, closeTimer == nil { closeLater() }
        endIfOver()
    }

    private func act(on action: WebSocketRelay.Action) {
        switch action {
        case .toPeer(let bytes): peer?.write(bytes)
        case .finishPeer: finishPeer()
        case .toBridge(let bytes):
            frames.append(bytes)
            framesByteCount += bytes.count
        case .finishBridge: finishesBridge = true
        case .resetBridge:
            finishesBridge = true
            bridge?.reset(.protocolError)
        }
    }

    /// Writes what the bridge takes.
    private func flush() {
        guard let bridge else { return }
        while let frame = frames.first {
            guard hasRoom(for: frame, on: bridge) else { return }
            bridge.write(frame)
            framesByteCount -= frames.removeFirst().count
        }
        if finishesBridge { bridge.finish(trailers: nil) }
    }

    private func hasRoom(for frame: [UInt8], on bridge: HTTPStream) -> Bool {
        guard takesWholesOnly, let stream = bridge as? HTTP2Stream, stream.session.room(for: stream) < frame.count else {
            return true
        }
        stream.session.tellWhenRoom(for: stream)
        return false
    }

    /// Lets each end send as much more as the other end has taken.
    private func settle() {
        if owedToPeer > 0, framesByteCount + (bridge?.unsentByteCount ?? 0) < settings.backlogByteCountMax {
            let count = owedToPeer
            owedToPeer = 0
            peer?.consume(count)
        }
        if owedToBridge > 0, (peer?.unsentByteCount ?? 0) < settings.backlogByteCountMax {
            let count = owedToBridge
            owedToBridge = 0
            bridge?.consume(count)
        }
    }
}

// MARK: - Time and end

extension WebSocketPump {
    private func finishPeer() {
        guard let peer else { return }
        peer.finish(trailers: nil)
        // A peer that leaves its own side open for ever gets no more time than the closing handshake has.
        loop.schedule(after: .seconds(settings.closeSecondsMax)) { [self] in self.peer?.reset(.cancel) }
    }

    private func closeLater() {
        closeTimer = loop.schedule(after: .seconds(settings.closeSecondsMax)) { [self] in
            closeTimer = nil
            relay.closingTimedOut(into: &actions)
            act()
        }
    }

    private func pingLater() {
        guard settings.pingIntervalSeconds > 0 else { return }
        pingTimer = loop.schedule(after: .seconds(settings.pingIntervalSeconds)) { [self] in
            pingTimer = nil
            guard !isOver else { return }
            if relay.awaitsPong {
                peer?.reset(.cancel)
            } else {
                relay.ping(into: &actions)
                act()
            }
            pingLater()
        }
    }

    private func endIfOver() {
        guard !isOver, !awaitsBridge, peer == nil, relay.isOver else { return }
        guard bridge == nil else { return dismissBridge() }
        isOver = true
        for timer in [pingTimer, closeTimer] { if let timer { loop.cancel(timer) } }
        (pingTimer, closeTimer) = (nil, nil)
        whenOver?()
        whenOver = nil
    }

    /// The other side of the bridge, too, has only so long to end it.
    private func dismissBridge() {
        guard !isDismissing else { return }
        isDismissing = true
        loop.schedule(after: .seconds(settings.closeSecondsMax)) { [self] in bridge?.reset(.cancel) }
    }
}

extension StreamError? {
    /// Whether the connection broke, rather than somebody ending the stream.
    fileprivate var isLoss: Bool {
        switch self {
        case .connectionLost: true
        case .cancelledByPeer, .malformed, .refusedByPeer, .cancelled, nil: false
        }
    }
}
