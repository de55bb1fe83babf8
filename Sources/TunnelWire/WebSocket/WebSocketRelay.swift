/// Stands between a WebSocket and its bridge through the tunnel, and says what goes out on either side.
///
/// The edge has one for each third party, whose server it plays; the agent has one for each target, whose client it plays. It
/// sees no socket: bytes go in, actions come out. Rules: RFC 6455 and the data plane's section 6.
package struct WebSocketRelay: Sendable {
    package enum Action: Sendable, Hashable {
        case toPeer([UInt8])
        /// One outer frame: a whole envelope, or a control frame. It must not be cut by another one.
        case toBridge([UInt8])
        /// Nothing follows on this side; what was said before still goes out.
        case finishPeer, finishBridge
        /// The bridge is of no use any more.
        case resetBridge
    }

    /// Where the closing handshake with the peer stands.
    private enum PeerState { case open, weClosed, over }

    private let masksOutput: Bool
    private let nextMaskingKey: @Sendable () -> UInt32
    private let messageByteCountMax: Int
    private var peerReader: WebSocketMessageReader
    private var bridgeReader: BridgeReader
    private var peer = PeerState.open
    /// The bridge takes nothing more from us, or gives us nothing more.
    private var isBridgeFinished = false
    private var hasBridgeEnded = false
    /// The largest frame that the other side of the bridge takes. A message that needs a larger one ends the WebSocket with
    /// 1009, and what the peer said behind it goes nowhere.
    package var bridgeFrameByteCountMax = Int.max
    /// What came last from the peer, for the keep-alive.
    private(set) package var awaitsPong = false

    /// The edge's relay: the third party is a client, and so is the agent.
    package static func edge(messageByteCountMax: Int) -> WebSocketRelay {
        WebSocketRelay(role: .server, messageByteCountMax: messageByteCountMax, nextMaskingKey: { 0 })
    }

    /// The agent's relay: the target is a server, and so is the edge. The keys must be unpredictable (RFC 6455 section 5.3).
    package static func agent(
        messageByteCountMax: Int, nextMaskingKey: @escaping @Sendable () -> UInt32
    ) -> WebSocketRelay {
        WebSocketRelay(role: .client, messageByteCountMax: messageByteCountMax, nextMaskingKey: nextMaskingKey)
    }

    private init(
        role: WebSocketFrameReader.Role, messageByteCountMax: Int, nextMaskingKey: @escaping @Sendable () -> UInt32
    ) {
        masksOutput = role == .client
        self.nextMaskingKey = nextMaskingKey
        self.messageByteCountMax = messageByteCountMax
        peerReader = WebSocketMessageReader(role: role, messageByteCountMax: messageByteCountMax)
        bridgeReader = BridgeReader(role: role, messageByteCountMax: messageByteCountMax)
    }

    /// The peer was told that it is over, and has not said so itself.
    package var isClosing: Bool { peer == .weClosed }

    /// Both sides are done.
    package var isOver: Bool { peer == .over && isBridgeFinished }

    /// The bytes of messages that are not whole yet, of both sides.
    package var heldByteCount: Int { peerReader.heldByteCount + bridgeReader.heldByteCount }
}

// MARK: - The peer

extension WebSocketRelay {
    /// Takes bytes of the third party or the target.
    package mutating func receiveFromPeer(_ bytes: Span<UInt8>, into actions: inout [Action]) {
        guard peer != .over else { return }
        awaitsPong = false
        var offset = 0
        do throws(WebSocketError) {
            while peer != .over, let event = try peerReader.next(in: bytes, &offset) { handle(event, &actions) }
        } catch {
            // Its own fault, and it is told so; the other end hears the same number.
            closePeer(WebSocketClose(error.closeCode), &actions)
            endPeer(&actions)
            closeBridge(WebSocketClose(error.closeCode), &actions)
        }
    }

    /// The peer's connection has ended, with or without a close frame before.
    package mutating func peerEnded(into actions: inout [Action]) {
        guard peer != .over else { return }
        endPeer(&actions)
        closeBridge(WebSocketClose(.goingAway), &actions)
    }

    private mutating func handle(_ event: WebSocketMessageReader.Event, _ actions: inout [Action]) {
        switch event {
        case .text(let bytes): sendToBridge(.text(bytes), &actions)
        case .binary(let bytes): sendToBridge(.binary(bytes), &actions)
        case .ping(let bytes): if peer == .open { sendToPeer(.pong, bytes, &actions) }
        case .pong: break
        case .close(let close):
            // Ours is the answer, or theirs is.
            closePeer(close, &actions)
            endPeer(&actions)
            closeBridge(close, &actions)
        }
    }

    private mutating func sendToBridge(_ message: BridgeMessage, _ actions: inout [Action]) {
        // Behind our close frame the peer may still be sending; nobody is interested any more.
        guard peer == .open, !isBridgeFinished else { return }
        let frame = frame(.binary, message.envelope)
        guard frame.count <= bridgeFrameByteCountMax else { return close(WebSocketClose(.messageTooBig), into: &actions) }
        actions.append(.toBridge(frame))
    }

    private mutating func closePeer(_ close: WebSocketClose, _ actions: inout [Action]) {
        guard peer == .open else { return }
        peer = .weClosed
        sendToPeer(.close, close.payload, &actions)
    }

    private mutating func endPeer(_ actions: inout [Action]) {
        peer = .over
        actions.append(.finishPeer)
    }

    private mutating func sendToPeer(_ opcode: WebSocketOpcode, _ payload: [UInt8], _ actions: inout [Action]) {
        actions.append(.toPeer(frame(opcode, payload)))
    }

    /// Asks the peer for a sign of life; the next bytes of any kind are one.
    package mutating func ping(into actions: inout [Action]) {
        guard peer == .open else { return }
        awaitsPong = true
        sendToPeer(.ping, [], &actions)
    }

    /// Closes from here, as when the service drains or the agent is lost: the peer is told, and the bridge too if it is there.
    package mutating func close(_ close: WebSocketClose, into actions: inout [Action]) {
        closePeer(close, &actions)
        closeBridge(close, &actions)
    }

    /// The peer had its time to answer our close frame.
    package mutating func closingTimedOut(into actions: inout [Action]) {
        guard peer == .weClosed else { return }
        endPeer(&actions)
    }
}

// MARK: - The bridge

extension WebSocketRelay {
    /// Takes bytes of the bridge's stream.
    package mutating func receiveFromBridge(_ bytes: Span<UInt8>, into actions: inout [Action]) {
        guard !hasBridgeEnded else { return }
        var offset = 0
        do throws(BridgeError) {
            while !hasBridgeEnded, let event = try bridgeReader.next(in: bytes, &offset) { handle(event, &actions) }
        } catch {
            hasBridgeEnded = true
            isBridgeFinished = true
            actions.append(.resetBridge)
            closePeer(WebSocketClose(.internalError, reason: "the tunnel's agent sent what makes no sense"), &actions)
        }
    }

    /// The bridge's stream has ended; `wasLost` when it broke, and did not come to its end.
    package mutating func bridgeEnded(wasLost: Bool, into actions: inout [Action]) {
        if !hasBridgeEnded {
            hasBridgeEnded = true
            // Without a close envelope: an upstream that vanished, or an agent that did.
            closePeer(WebSocketClose(wasLost ? .serviceRestart : .internalError), &actions)
        }
        finishBridge(&actions)
    }

    private mutating func handle(_ event: BridgeReader.Event, _ actions: inout [Action]) {
        switch event {
        case .message(.text(let bytes)): deliver(.text, bytes, &actions)
        case .message(.binary(let bytes)): deliver(.binary, bytes, &actions)
        case .message(.close(let code, let reason)):
            // The first close counts; what the agent says behind it is its way of ending the stream.
            hasBridgeEnded = true
            closePeer(Self.close(code, reason), &actions)
            finishBridge(&actions)
        case .ping(let bytes): actions.append(.toBridge(frame(.pong, bytes)))
        case .end:
            hasBridgeEnded = true
            closePeer(WebSocketClose(.normal), &actions)
            finishBridge(&actions)
        }
    }

    private mutating func deliver(_ opcode: WebSocketOpcode, _ payload: [UInt8], _ actions: inout [Action]) {
        guard peer == .open else { return }
        guard payload.count <= messageByteCountMax else {
            return close(WebSocketClose(.messageTooBig), into: &actions)
        }
        sendToPeer(opcode, payload, &actions)
    }

    /// A number that must not be sent, such as 1005, becomes one that may.
    private static func close(_ code: Int, _ reason: String) -> WebSocketClose {
        guard let number = UInt16(exactly: code) else { return WebSocketClose(.internalError, reason: reason) }
        let code = WebSocketCloseCode(rawValue: number)
        if code.isSendable { return WebSocketClose(code, reason: reason) }
        return WebSocketClose(number == 1005 ? .normal : .internalError, reason: reason)
    }

    private mutating func closeBridge(_ close: WebSocketClose, _ actions: inout [Action]) {
        guard !isBridgeFinished, !hasBridgeEnded else { return finishBridge(&actions) }
        sayCloseToBridge(close, &actions)
        finishBridge(&actions)
    }

    private func sayCloseToBridge(_ close: WebSocketClose, _ actions: inout [Action]) {
        let code = close.code ?? .normal
        actions.append(.toBridge(frame(.binary, BridgeMessage.close(code: Int(code.rawValue), reason: close.reason).envelope)))
    }

    /// What waited for the bridge, from the first frame on that is too large for it, was dropped; with it went a close that the
    /// peer has sent.
    package mutating func waitingDropped(into actions: inout [Action]) {
        let close = WebSocketClose(.messageTooBig)
        closePeer(close, &actions)
        sayCloseToBridge(close, &actions)
        finishBridge(&actions)
    }

    private mutating func finishBridge(_ actions: inout [Action]) {
        guard !isBridgeFinished else { return }
        isBridgeFinished = true
        // No outer close frame: an SDK that finds one beside envelopes drops the envelopes (inkbox 0.7.20, `_pump_ws`).
        actions.append(.finishBridge)
    }

    private func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        let key = masksOutput ? nextMaskingKey() : nil
        bytes.append(
            WebSocketFrameHeader(opcode: opcode, payloadByteCount: payload.count, maskingKey: key), payload: payload.span)
        return bytes
    }
}
