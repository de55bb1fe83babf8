package import LinuxIO
internal import TunnelDomain
package import TunnelWire

/// The limits of one TCP connection on its way through a tunnel.
package struct TCPPumpSettings: Sendable {
    /// Seconds in which a peer that was told of the end may take what was sent and end its own side; then it is cut off.
    package var lingerSecondsMax = 5
    /// Seconds without a byte taken by a peer that has bytes waiting for it.
    package var stallSecondsMax = 60

    package init() {}
}

/// Moves bytes between a TCP connection and its bridge, as they are, and each end's credit with them.
///
/// The edge has one for each third party of a passthrough tunnel, the agent one for each connection that it hands on to a
/// local TLS server. Until a bridge is attached nothing is read: what the peer sends waits in the kernel.
package final class TCPPump: ChannelHandler {
    private enum State {
        /// Nothing is read yet; with a goodbye that has to wait until the connection stands.
        case waiting(goodbye: [UInt8]?)
        case bridging(TCPBridge)
        /// The peer has been told of the end: what it still sends is of no use.
        case lingering
        case over
    }

    /// What a connection in use keeps for sending.
    private static let bufferByteCount = 128 * 1024

    package let channel: Channel
    private let settings: TCPPumpSettings
    private var state = State.waiting(goodbye: nil)
    /// Bytes of the peer that wait for the bridge's window, at most one chunk.
    private var held: [UInt8] = []
    private var hasPeerEnded = false
    /// Bytes of the bridge whose sender may not replace them by others yet.
    private var owed = 0
    /// Bytes that went from the peer to the bridge, and from the bridge to the peer.
    package private(set) var byteCountToBridge = 0
    package private(set) var byteCountFromBridge = 0
    private var whenOver: (() -> Void)?
    private var watchTimer: TimerID?
    private var lingerTimer: TimerID?

    /// - Parameter whenOver: called once, when the connection is closed.
    package init(_ channel: Channel, settings: TCPPumpSettings, whenOver: @escaping () -> Void) {
        self.channel = channel
        self.settings = settings
        self.whenOver = whenOver
        channel.pauseReading()
        channel.replaceHandler(self)
        channel.keepAlive()
        watch()
    }

    /// Takes over an accepted connection of which nothing was read; nil when it is gone already.
    package static func accept(
        _ connection: consuming NewConnection, on loop: Loop, settings: TCPPumpSettings, whenOver: @escaping () -> Void
    ) -> TCPPump? {
        let peer = connection.peer
        guard
            let channel = try? Channel.accepted(
                FileDescriptor(number: connection.takeDescriptor()), from: peer, on: loop, tls: nil, handler: NobodyYet())
        else { return nil }
        return TCPPump(channel, settings: settings, whenOver: whenOver)
    }

    /// Whether a bridge can still be attached.
    package var takesBridge: Bool { if case .waiting(nil) = state { true } else { false } }

    /// Sends and takes everything over this stream from now on.
    package func attach(bridge stream: HTTPStream, framing: TCPBridgeFraming) {
        precondition(takesBridge, "a connection has one bridge")
        let bridge = TCPBridge(stream, framing: framing, owner: self)
        state = .bridging(bridge)
        channel.readByteCountMax = bridge.chunkByteCountMax
        channel.keepBuffers(ofByteCount: TCPPump.bufferByteCount)
        channel.resumeReading()
    }

    /// Ends the connection with these last bytes, which the peer gets the time to read. Without a bridge only.
    package func end(saying goodbye: [UInt8]) {
        guard case .waiting = state else { return }
        guard channel.isOpen else { return state = .waiting(goodbye: goodbye) }
        channel.write(goodbye)
        linger()
    }

    /// Ends the connection and its bridge from here.
    package func close(_ code: WebSocketCloseCode) {
        guard case .bridging(let bridge) = state else { return }
        bridge.close(code)
    }

    /// Drops everything.
    package func abort(_ why: String) { channel.abort(.aborted(why)) }

    // MARK: ChannelHandler

    package func channelOpened() {
        if case .waiting(let goodbye?) = state { end(saying: goodbye) }
    }

    package func channelReceived(_ bytes: Span<UInt8>) {
        guard case .bridging(let bridge) = state else { return }
        byteCountToBridge += bytes.count
        guard bridge.takes(bytes.count) else {
            bytes.withUnsafeBufferPointer { held.append(contentsOf: $0) }
            return channel.pauseReading()
        }
        bridge.send(bytes)
        if !bridge.mayReadOn { channel.pauseReading() }
    }

    package func channelReachedEnd() {
        hasPeerEnded = true
        switch state {
        case .bridging(let bridge): if held.isEmpty { bridge.finish() }
        case .lingering: channel.close()
        case .waiting, .over: break
        }
    }

    package func channelDrained() { settle() }

    package func channelClosed(_ error: ChannelError?) {
        let last = state
        state = .over
        if case .bridging(let bridge) = last { bridge.reset() }
        for timer in [watchTimer, lingerTimer] { if let timer { channel.loop.cancel(timer) } }
        (watchTimer, lingerTimer) = (nil, nil)
        whenOver?()
        whenOver = nil
    }

    // MARK: Ending

    /// Says that no more comes, and gives the peer the time to read it: to close at once, over bytes of it that nobody read,
    /// would take away from it what it has not read.
    private func linger() {
        state = .lingering
        held = []
        channel.shutdownWrite()
        guard !hasPeerEnded else { return channel.close() }
        stopLingeringLater()
        channel.resumeReading()
    }

    /// What the kernel still has for the peer goes on its way after the close.
    private func stopLingeringLater() {
        lingerTimer = channel.loop.schedule(after: .seconds(settings.lingerSecondsMax)) { [self] in
            if channel.unsentByteCount > 0 { stopLingeringLater() } else { channel.close() }
        }
    }

    /// Cuts off a peer that takes nothing of what waits for it: its bytes take memory.
    private func watch() {
        watchTimer = channel.loop.schedule(after: .seconds(settings.stallSecondsMax) / 2) { [self] in
            let isStalled = channel.lastSentAt + .seconds(settings.stallSecondsMax) <= channel.loop.now
            if channel.unsentByteCount > 0, isStalled { return abort("the peer does not read") }
            channel.trimBuffers()
            watch()
        }
    }

    private func settle() {
        guard owed > 0, case .bridging(let bridge) = state, channel.isDrained() else { return }
        let count = owed
        owed = 0
        bridge.consume(count)
    }
}

extension TCPPump: TCPBridgeOwner {
    package func bridgeReceived(_ bytes: Span<UInt8>) {
        channel.write(bytes)
        byteCountFromBridge += bytes.count
        owed += bytes.count
        settle()
    }

    package func bridgeReachedEnd() { channel.shutdownWrite() }

    package func bridgeHasRoom() {
        guard case .bridging(let bridge) = state, bridge.takes(held.count) else { return }
        if !held.isEmpty {
            bridge.send(held.span)
            held.removeAll(keepingCapacity: true)
        }
        if hasPeerEnded { bridge.finish() } else { channel.resumeReading() }
    }

    package func bridgeClosed(_ ending: TCPBridge.Ending) {
        guard case .bridging = state else { return }
        switch ending {
        case .finished:
            state = .lingering
            channel.close()
        case .closed: linger()
        case .broken:
            state = .lingering
            abort("the bridge broke")
        }
    }
}

/// What a connection has before its pump.
private final class NobodyYet: ChannelHandler {
    func channelOpened() {}
    func channelReceived(_ bytes: Span<UInt8>) {}
    func channelReachedEnd() {}
    func channelDrained() {}
    func channelClosed(_ error: ChannelError?) {}
}
