internal import HTTPTransport
internal import LinuxIO
internal import TunnelWire

/// The bridge of a WebSocket that a handler closure serves: envelopes on the one side, the handler's pipe on the other.
final class HandlerWebSocket: HTTPStreamReceiver {
    private let door: EventLoop
    private var reader: BridgeReader
    private var stream: HTTPStream?
    private var isOpen = false
    /// Frames of the handler that came before the server had taken the bind.
    private var early: [(frame: [UInt8], isLast: Bool)] = []
    private var isFinished = false
    private(set) var pipe: WebSocketPipe?

    init(messageByteCountMax: Int, loop: Loop) {
        door = loop.door
        reader = BridgeReader(role: .client, messageByteCountMax: messageByteCountMax)
        let bound = LoopBound(self, on: loop)
        let door = door
        pipe = WebSocketPipe { byteCount in
            door.execute { bound.value(on: $0).stream?.consume(byteCount) }
        } post: { frame, isLast in
            door.execute { bound.value(on: $0).write(frame, isLast: isLast) }
        }
    }

    /// Asks the server for the bridge, on the connection that took the reply.
    func bind(_ id: String, on source: any WebSocketBridgeSource) {
        stream = source.bind(webSocketID: id, receiver: self)
        if stream == nil { lost() }
    }

    private func write(_ frame: [UInt8], isLast: Bool) {
        guard isOpen else { return early.append((frame, isLast)) }
        guard let stream, !isFinished else { return }
        stream.write(frame)
        if isLast { finish() }
    }

    private func finish() {
        isFinished = true
        stream?.finish(trailers: nil)
    }

    /// Ends it, as when it was never opened.
    func lost() {
        early = []
        pipe?.lost()
        // The pipe's closures hold this object: without the pipe both can go.
        pipe = nil
    }

    // MARK: HTTPStreamReceiver

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard head.status == 200 else { return stream.reset(.cancel) }
        isOpen = true
        let waiting = early
        early = []
        for entry in waiting { write(entry.frame, isLast: entry.isLast) }
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        var offset = 0
        var usedCount = 0
        do throws(BridgeError) {
            while let event = try reader.next(in: bytes, &offset) {
                handle(event, byteCount: offset - usedCount, on: stream)
                usedCount = offset
            }
        } catch {
            stream.reset(.protocolError)
            return lost()
        }
        // A part of an envelope: the rest of it has to come.
        stream.consume(bytes.count - usedCount)
    }

    private func handle(_ event: BridgeReader.Event, byteCount: Int, on stream: HTTPStream) {
        switch event {
        case .message(.text(let text)):
            pipe?.received(.text(String(decoding: text, as: UTF8.self)), byteCount: byteCount)
        case .message(.binary(let bytes)): pipe?.received(.binary(bytes), byteCount: byteCount)
        case .message(.close(let code, let reason)):
            stream.consume(byteCount)
            pipe?.thirdPartyClosed(AgentWebSocketClose(code: code, reason: reason))
        case .ping(let payload):
            stream.consume(byteCount)
            // Counted like a message of the handler: what is sent is told for all alike.
            pipe?.answer(ping: payload)
        case .end: stream.consume(byteCount)
        }
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        // Without a close before it, the third party is lost.
        if pipe?.closeByThirdParty == nil { pipe?.lost() }
        if !isFinished { finish() }
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) { pipe?.sent(byteCount) }

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        self.stream = nil
        lost()
    }
}
