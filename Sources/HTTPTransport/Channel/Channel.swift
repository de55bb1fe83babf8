package import LinuxIO
package import TLS
internal import TunnelDomain

/// One TCP connection with or without TLS, on one loop.
///
/// Writes are gathered and sent at the end of the loop's turn, or sooner when they are many. Reads go on until the socket is
/// dry, the handler pauses, or the turn's share is used up, so that one busy connection does not hold the others up.
package final class Channel {
    enum State { case connecting, handshaking, open, closed }

    package internal(set) var loop: Loop
    package private(set) var handler: (any ChannelHandler)?
    package let peer: SocketAddress
    private(set) var descriptor: Int32
    /// What carries the bytes instead of a socket, for a connection that came here inside of another one.
    private(set) var link: (any ChannelLink)?
    var registration: IORegistration?
    private(set) var tls: TLSSession?
    private(set) var state: State

    // Reading
    var mayRead = true
    /// OpenSSL may hold bytes that it has read ahead, whether or not the socket has more.
    var mayHoldPlaintext = false
    var isPeerHungUp = false
    var isReadingPaused = false
    var hasReachedEnd = false
    var isReading = false
    var isQueuedForNextTurn = false
    /// The most that one read may bring.
    package var readByteCountMax = Loop.scratchByteCount

    // Writing: what was written last lies in `plaintext`, what came before in the loop's buffer, the rest in `ciphertext`.
    var plaintext = ByteQueue()
    /// Ciphertext that has not left: of large writes, which are encrypted at once, and what the socket did not take.
    var ciphertext = ByteQueue()
    /// Bytes of the loop's output buffer that this channel filled; 0 outside of `flush`.
    var gatheredByteCount = 0
    var maySend = true
    var isFlushScheduled = false
    var isFlushing = false
    var wantsDrained = false
    private(set) var isClosingAfterFlush = false
    private(set) var isWriteShut = false
    private var hasSaidEnd = false
    var lastSent: MonotonicInstant
    var lastReceived: MonotonicInstant
    /// Set once the channel is closed, until the handler has been told.
    private var farewell: Farewell?

    private struct Farewell {
        var handler: any ChannelHandler
        var error: ChannelError?
    }

    private init(
        loop: Loop, descriptor: consuming FileDescriptor?, link: (any ChannelLink)? = nil, peer: SocketAddress, state: State,
        handler: any ChannelHandler
    ) {
        self.loop = loop
        self.descriptor = descriptor?.release() ?? -1
        self.link = link
        self.peer = peer
        self.state = state
        self.handler = handler
        lastSent = loop.now
        lastReceived = loop.now
        maySend = state != .connecting
    }

    deinit { if descriptor >= 0 { _ = FileDescriptor(number: descriptor) } }

    /// Puts another protocol on the connection; the old one hears nothing more.
    package func replaceHandler(_ handler: any ChannelHandler) { self.handler = handler }

    package var isTLS: Bool { tls != nil }
    package var isClosed: Bool { state == .closed }
    package var isOpen: Bool { state == .open }
    package var applicationProtocol: String? { tls?.applicationProtocol }
    package var serverName: String? { tls?.serverName }
}

// MARK: - Opening

extension Channel {
    /// Takes over an accepted connection. Bytes already waiting in the socket are read in this turn.
    package static func accepted(
        _ descriptor: consuming FileDescriptor, from peer: SocketAddress, on loop: Loop, tls context: TLSContext?,
        handler: any ChannelHandler
    ) throws(ChannelError) -> Channel {
        let channel = Channel(loop: loop, descriptor: descriptor, peer: peer, state: .handshaking, handler: handler)
        try channel.start(tls: context, serverName: nil)
        return channel
    }

    /// Serves a connection that comes over a link; the first bytes may come when this has returned.
    static func accepted(
        over link: any ChannelLink, from peer: SocketAddress, on loop: Loop, tls context: TLSContext,
        handler: any ChannelHandler
    ) throws(ChannelError) -> Channel {
        let channel = Channel(loop: loop, descriptor: nil, link: link, peer: peer, state: .handshaking, handler: handler)
        do { channel.tls = try TLSSession(context: context, carrier: channel) } catch { throw .tls(error) }
        link.handler = channel
        return channel
    }

    /// Connects to the address; the handler hears `channelOpened` or `channelClosed`.
    package static func connect(
        to address: SocketAddress, on loop: Loop, tls context: TLSContext?, serverName: String?, handler: any ChannelHandler
    ) throws(ChannelError) -> Channel {
        let descriptor: FileDescriptor
        do { descriptor = try Socket.connect(to: address) } catch { throw .io(error) }
        let channel = Channel(loop: loop, descriptor: descriptor, peer: address, state: .connecting, handler: handler)
        try channel.start(tls: context, serverName: serverName)
        return channel
    }

    /// Connects to a stream socket of the file system, in clear; its peer has no address, and counts as one of this machine.
    package static func connect(
        toSocketAt path: String, on loop: Loop, handler: any ChannelHandler
    ) throws(ChannelError) -> Channel {
        let descriptor: FileDescriptor
        do { descriptor = try Socket.connect(toSocketAt: path) } catch { throw .io(error) }
        let channel = Channel(
            loop: loop, descriptor: descriptor, peer: .loopback(port: 0), state: .connecting, handler: handler)
        try channel.start(tls: nil, serverName: nil)
        return channel
    }

    private func start(tls context: TLSContext?, serverName: String?) throws(ChannelError) {
        if let context {
            do { tls = try TLSSession(context: context, carrier: self, serverName: serverName) } catch { throw .tls(error) }
        }
        do { registration = try loop.register(descriptor, handler: self) } catch { throw .io(error) }
    }

    private func finishConnecting() {
        guard maySend || isPeerHungUp else { return }
        if let error = Socket.connectOutcome(descriptor) { return finish(.io(error)) }
        state = .handshaking
    }

    private func shakeHands() {
        guard let tls else { return open() }
        switch tls.handshake() {
        case .done: open()
        case .wantsRead: flush()
        case .ended: finish(.closedByPeer)
        case .failed(let error):
            flush()
            finish(.tls(error))
        }
    }

    private func open() {
        state = .open
        mayHoldPlaintext = tls != nil
        flush()
        handler?.channelOpened()
    }
}

// MARK: - Readiness

extension Channel: IOHandler {
    package func ioReady(_ readiness: IOReadiness) {
        if !readiness.isDisjoint(with: .hungUp) { isPeerHungUp = true }
        if !readiness.isDisjoint(with: [.readable, .hungUp]) { mayRead = true }
        if readiness.contains(.writable) { maySend = true }
        // Reset, with bytes that nobody reads at present: they are of no use any more.
        if readiness.contains(.failed), isReadingPaused, state == .open { return finish(.closedByPeer) }
        advance()
    }

    private func advance() {
        if state == .connecting { finishConnecting() }
        if state == .handshaking { shakeHands() }
        if state == .open || isClosingAfterFlush {
            if maySend, unsentByteCount > 0 { flush() }
            // Somebody waits for room: the end of the turn tells whether there is some.
            if wantsDrained { scheduleTurnEnd() }
            readUntilDry()
        } else if state != .closed, !ciphertext.isEmpty {
            flush()
        }
    }
}

extension Channel: TurnEndHandler {
    package func turnEnded() {
        isFlushScheduled = false
        isQueuedForNextTurn = false
        if let farewell {
            self.farewell = nil
            return farewell.handler.channelClosed(farewell.error)
        }
        guard state == .open else { return }
        flush()
        if wantsDrained, unsentByteCount <= Channel.unsentByteCountLow, state == .open {
            wantsDrained = false
            handler?.channelDrained()
        }
        readUntilDry()
    }

    func scheduleTurnEnd() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.atTurnEnd(self)
    }
}

// MARK: - Closing

extension Channel {
    /// Sends what was written, says goodbye and closes.
    package func close() {
        guard state != .closed, !isClosingAfterFlush else { return }
        guard state == .open else { return finish(nil) }
        isClosingAfterFlush = true
        flush()
    }

    /// Sends what was written and tells the peer that no more comes; reading goes on.
    package func shutdownWrite() {
        guard state == .open, !isWriteShut else { return }
        flush()
        isWriteShut = true
        flush()
    }

    /// Drops everything and resets the connection.
    package func abort(_ error: ChannelError) {
        guard state != .closed else { return }
        if let link { link.close(isAborting: true) } else { Socket.dropOnClose(descriptor) }
        finish(error)
    }

    /// Finds out within about two minutes that a silent peer is gone.
    package func keepAlive() { Socket.keepAlive(descriptor, idleSeconds: 60, intervalSeconds: 15, probesMax: 4) }

    /// Everything that was written is with the kernel: the moment for what waited for that.
    func allSent() {
        if isClosingAfterFlush { return finish(nil) }
        if isWriteShut, !hasSaidEnd { sayEnd() }
    }

    /// Tells the peer that no more comes, now that everything has left.
    private func sayEnd() {
        hasSaidEnd = true
        guard let tls else { return Socket.shutdownWrite(descriptor) }
        tls.sendCloseNotify()
        sendCiphertext()
        // Over a socket the end of TLS is enough said.
        link?.shutdownWrite()
    }

    func finish(_ error: ChannelError?) {
        guard state != .closed else { return }
        if error == nil { sayGoodbye() }
        state = .closed
        if let registration { loop.deregister(registration, descriptor) }
        registration = nil
        if descriptor >= 0 { _ = FileDescriptor(number: descriptor) }
        descriptor = -1
        link?.close(isAborting: false)
        link = nil
        plaintext.removeAll()
        ciphertext.removeAll()
        gatheredByteCount = 0
        // Told at the end of the turn, so that no handler is told in the middle of its own write.
        if let handler { farewell = Farewell(handler: handler, error: error) }
        handler = nil
        scheduleTurnEnd()
    }

    private func sayGoodbye() {
        guard let tls else { return }
        tls.sendCloseNotify()
        keepGathered(from: 0)
        if !ciphertext.isEmpty { _ = transmit(ciphertext.bytes) }
    }
}
