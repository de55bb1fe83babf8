internal import LinuxIO
package import TunnelWire

/// How the bytes of a TCP connection travel on the stream of its bridge (data plane, sections 7 and 10).
package enum TCPBridgeFraming: Sendable, Hashable {
    /// DATA are the bytes themselves (feature `raw-tcp`).
    case raw
    /// In the binary frames of RFC 6455. The edge is the server of the two: it reads masked frames and writes unmasked ones.
    case frames(WebSocketFrameReader.Role)
}

/// Hears a bridge; the calls come on the loop, in order.
package protocol TCPBridgeOwner: AnyObject {
    /// Bytes of the other end, valid only during the call. They count against its window until `consume`.
    func bridgeReceived(_ bytes: Span<UInt8>)
    /// The other end sends no more, but may still read.
    func bridgeReachedEnd()
    /// There is more room than there was.
    func bridgeHasRoom()
    /// Always the last call, exactly once.
    func bridgeClosed(_ ending: TCPBridge.Ending)
}

/// One end of a bridge: a TCP connection's bytes on an HTTP/2 stream, framed or not, with the credit of both directions.
///
/// A framed bridge may have a published SDK on its other side, which credits frames only as wholes: a frame is begun when both
/// windows hold all of it, and not before.
package final class TCPBridge: HTTPStreamReceiver {
    package enum Ending: Sendable, Hashable {
        /// Both directions came to their end.
        case finished
        /// The other end said goodbye for both directions; what it sent before still counts.
        case closed(WebSocketCloseCode?)
        /// The stream broke, was reset, or made no sense.
        case broken
    }

    /// The most payload bytes of a frame that is sent.
    package static let frameByteCountMax = 16 * 1024
    /// Past this many unsent bytes a raw bridge takes no more, and below the other one it asks for more.
    private static let unsentByteCountHigh = 128 * 1024
    private static let unsentByteCountLow = 32 * 1024
    /// Pings are not answered while more than this is unsent: whoever reads nothing must not make the answers pile up.
    private static let pongBacklogByteCountMax = 64 * 1024
    /// The other end has so long to end its side once this one is through.
    private static let dismissalSeconds = 5

    private let stream: HTTPStream
    private let framing: TCPBridgeFraming
    private var owner: (any TCPBridgeOwner)?
    private var reader: TCPBridgeReader
    /// Used again for every frame.
    private var payload: [UInt8] = []
    private var output: [UInt8] = []
    private var wantsRoom = false
    private var hasFinished = false
    private var hasReachedEnd = false
    private var closeCode: WebSocketCloseCode??

    /// Becomes the stream's receiver.
    package init(_ stream: HTTPStream, framing: TCPBridgeFraming, owner: any TCPBridgeOwner) {
        self.stream = stream
        self.framing = framing
        self.owner = owner
        reader = TCPBridgeReader(role: framing == .frames(.client) ? .client : .server)
        stream.receiver = self
    }

    // MARK: Sending

    /// The most bytes that the owner should read at a time.
    package var chunkByteCountMax: Int {
        switch framing {
        case .raw: TCPBridge.unsentByteCountHigh / 2
        case .frames: TCPBridge.frameByteCountMax
        }
    }

    /// Whether so many bytes, at most `chunkByteCountMax`, may be sent now; if not, `bridgeHasRoom` says when to ask again.
    package func takes(_ byteCount: Int) -> Bool {
        let takes: Bool
        switch framing {
        case .raw: takes = stream.unsentByteCount < TCPBridge.unsentByteCountHigh
        case .frames:
            guard let stream = stream as? HTTP2Stream else { return true }
            takes = stream.session.room(for: stream) >= byteCount + WebSocketFrameHeader.byteCountMax
            if !takes { stream.session.tellWhenRoom(for: stream) }
        }
        wantsRoom = !takes
        return takes
    }

    /// Whether reading on makes sense: what is read while there is no room has to be kept.
    package var mayReadOn: Bool { framing == .raw ? takes(0) : true }

    package func send(_ bytes: Span<UInt8>) {
        guard !hasFinished else { return }
        switch framing {
        case .raw: stream.write(bytes)
        case .frames: write(.binary, bytes)
        }
    }

    /// Nothing more comes from here; the other direction goes on.
    package func finish() {
        guard !hasFinished else { return }
        hasFinished = true
        stream.finish(trailers: nil)
        endIfDone()
    }

    /// Says goodbye for both directions. A raw bridge knows no words for it and breaks off.
    package func close(_ code: WebSocketCloseCode) {
        guard owner != nil else { return }
        switch framing {
        case .raw: stream.reset(.cancel)
        case .frames: sayGoodbye(code)
        }
        end(.closed(code))
    }

    private func sayGoodbye(_ code: WebSocketCloseCode) {
        if !hasFinished { write(.close, WebSocketClose(code).payload.span) }
        endStream()
    }

    /// Ends our side, and in a while the other one's if it does not.
    private func endStream() {
        if !hasFinished { stream.finish(trailers: nil) }
        hasFinished = true
        TCPBridge.dismiss(stream)
    }

    /// Ends the other side too in a while, but not before it had everything.
    private static func dismiss(_ stream: HTTPStream) {
        stream.connection.channel.loop.schedule(after: .seconds(dismissalSeconds)) {
            if stream.unsentByteCount > 0 { dismiss(stream) } else { stream.reset(.cancel) }
        }
    }

    /// Nothing more comes from here, and what still comes from there is of no use.
    package func leave() {
        guard owner != nil else { return }
        owner = nil
        switch framing {
        case .raw: endStream()
        case .frames: sayGoodbye(.normal)
        }
    }

    /// Breaks off.
    package func reset() {
        stream.reset(.cancel)
        end(.broken)
    }

    /// Gives bytes back that `bridgeReceived` brought.
    package func consume(_ byteCount: Int) { stream.consume(byteCount) }

    private func write(_ opcode: WebSocketOpcode, _ bytes: Span<UInt8>) {
        let key: UInt32? = framing == .frames(.client) ? .random(in: .min ... .max) : nil
        output.removeAll(keepingCapacity: true)
        let header = WebSocketFrameHeader(opcode: opcode, payloadByteCount: bytes.count, maskingKey: key)
        guard key == nil else {
            output.append(header, payload: bytes)
            return stream.write(output)
        }
        header.append(to: &output)
        stream.write(output)
        stream.write(bytes)
    }

    // MARK: HTTPStreamReceiver

    package func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        guard let owner, !hasReachedEnd else { return stream.consume(bytes.count) }
        switch framing {
        case .raw: owner.bridgeReceived(bytes)
        case .frames: readFrames(bytes)
        }
    }

    private func readFrames(_ bytes: Span<UInt8>) {
        var offset = 0
        var payloadByteCount = 0
        do throws(TCPBridgeError) {
            while let event = try reader.next(in: bytes, &offset, appendingTo: &payload) {
                switch event {
                case .bytes:
                    payloadByteCount += payload.count
                    owner?.bridgeReceived(payload.span)
                    payload.removeAll(keepingCapacity: true)
                case .ping(let content): answer(ping: content)
                case .close(let code):
                    hasReachedEnd = true
                    closeCode = .some(code)
                }
            }
        } catch {
            sayGoodbye(.protocolError)
            return end(.broken)
        }
        // Heads of frames are nobody's bytes: they are given back here.
        stream.consume(bytes.count - payloadByteCount)
        guard let closeCode else { return }
        // The answer to a goodbye is the end of the stream.
        endStream()
        end(.closed(closeCode))
    }

    private func answer(ping content: [UInt8]) {
        guard !hasFinished, stream.unsentByteCount <= TCPBridge.pongBacklogByteCountMax else { return }
        write(.pong, content.span)
    }

    package func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        guard !hasReachedEnd else { return }
        hasReachedEnd = true
        owner?.bridgeReachedEnd()
        endIfDone()
    }

    package func streamSent(byteCount: Int, on stream: HTTPStream) {
        guard wantsRoom, framing == .raw, stream.unsentByteCount <= TCPBridge.unsentByteCountLow else { return }
        wantsRoom = false
        owner?.bridgeHasRoom()
    }

    package func streamHasRoom(on stream: HTTPStream) {
        guard wantsRoom else { return }
        owner?.bridgeHasRoom()
    }

    package func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        // What came to its end before the stream broke counts.
        end(!hasReachedEnd ? .broken : error == nil ? .finished : .closed(nil))
    }

    private func endIfDone() {
        if hasFinished, hasReachedEnd { end(.finished) }
    }

    private func end(_ ending: Ending) {
        guard let owner else { return }
        self.owner = nil
        owner.bridgeClosed(ending)
    }
}
