internal import LinuxIO
internal import TunnelWire

/// Lets a channel live on a bridge, as if the TCP connection at the bridge's other end had come here.
///
/// What arrives is kept until the end of the turn, when the channel reads it all at once; the window bounds it. To let the
/// channel read at once would have it decrypt into the loop's scratch buffer, which holds what has just arrived.
final class BridgeLink: ChannelLink {
    var handler: (any IOHandler)?
    private let loop: Loop
    private var bridge: TCPBridge?
    private var kept = ByteQueue()
    private var hasEnded = false
    private var news: IOReadiness = []

    init(_ stream: HTTPStream, framing: TCPBridgeFraming, loop: Loop) {
        self.loop = loop
        kept.keepByteCountMax = 64 * 1024
        bridge = TCPBridge(stream, framing: framing, owner: self)
    }

    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Socket.Transfer {
        let count = min(kept.count, buffer.count)
        guard count > 0 else { return hasEnded ? .ended : .wouldBlock }
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: kept.bytes[..<count]))
        kept.removeFirst(count)
        bridge?.consume(count)
        return .moved(byteCount: count)
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Socket.Transfer {
        guard let bridge else { return .ended }
        let chunk = UnsafeRawBufferPointer(rebasing: bytes.prefix(bridge.chunkByteCountMax))
        guard bridge.takes(chunk.count) else { return .wouldBlock }
        bridge.send(chunk.bindMemory(to: UInt8.self).span)
        return .moved(byteCount: chunk.count)
    }

    func shutdownWrite() { bridge?.finish() }

    func close(isAborting: Bool) {
        handler = nil
        let bridge = bridge
        self.bridge = nil
        if isAborting { bridge?.reset() } else { bridge?.leave() }
    }

    /// Tells the channel at the end of the turn.
    private func tell(_ readiness: IOReadiness) {
        if news.isEmpty, handler != nil { loop.atTurnEnd(self) }
        news.formUnion(readiness)
    }
}

extension BridgeLink: TurnEndHandler {
    func turnEnded() {
        let readiness = news
        news = []
        handler?.ioReady(readiness)
        // Nobody takes what waits to be sent any more. A channel that has read everything learns it by trying.
        if bridge == nil { handler?.ioReady(.writable) }
    }
}

extension BridgeLink: TCPBridgeOwner {
    func bridgeReceived(_ bytes: Span<UInt8>) {
        kept.append(bytes)
        tell(.readable)
    }

    func bridgeReachedEnd() {
        hasEnded = true
        tell([.readable, .peerEnded])
    }

    func bridgeHasRoom() { tell(.writable) }

    func bridgeClosed(_ ending: TCPBridge.Ending) {
        bridge = nil
        switch ending {
        case .finished: break
        case .closed: bridgeReachedEnd()
        case .broken:
            hasEnded = true
            tell([.readable, .hungUp])
        }
    }
}
