internal import LinuxIO
internal import TunnelDomain
package import TunnelWire

/// Hears what concerns a client's whole HTTP/1.1 connection.
package protocol HTTP1ClientOwner: AnyObject {
    /// The exchange is over and another may begin.
    func connectionIdle(_ connection: HTTP1ClientConnection)
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?)
}

/// One HTTP/1.1 connection to a server: one exchange at a time.
package final class HTTP1ClientConnection: HTTPConnection, ChannelHandler {
    /// Response body bytes received and not consumed, past which reading pauses: at first, and for a reader that keeps up.
    private static let unconsumedByteCountMax = 64 * 1024
    private static let fastUnconsumedByteCountMax = 256 * 1024
    private static let readByteCountMin = 16 * 1024

    private let owner: any HTTP1ClientOwner
    private var decoder: HTTP1ResponseDecoder
    private var waiting = ByteQueue()
    private var stream: HTTP1ClientStream?
    private var hasReceived = false
    private var isReusable = true
    private var isClosed = false
    private var isTurnEndScheduled = false
    private var outputScratch: [UInt8] = []
    /// Exchanges that were completed here before the current one.
    package private(set) var completedCount = 0

    private init(channel: Channel, owner: any HTTP1ClientOwner, limits: HTTP1Limits) {
        self.owner = owner
        decoder = HTTP1ResponseDecoder(limits: limits)
        super.init(channel: channel)
    }

    /// Speaks HTTP/1.1 as a client on a channel that is open.
    package static func client(
        _ channel: Channel, owner: any HTTP1ClientOwner, limits: HTTP1Limits = HTTP1Limits()
    ) -> HTTP1ClientConnection {
        let connection = HTTP1ClientConnection(channel: channel, owner: owner, limits: limits)
        channel.replaceHandler(connection)
        return connection
    }

    package var isIdle: Bool { stream == nil && isReusable && !isClosed && !channel.isClosed }

    /// Begins an exchange; nil if one is under way or the connection is of no more use.
    ///
    /// A body without `contentLength` goes out chunked. A head with an `upgradeProtocol` asks to switch to it: after 101 the
    /// stream carries the bytes of that protocol both ways, and such a request has no body.
    package func request(
        _ head: HTTPRequestHead, isEnd: Bool, contentLength: Int?, receiver: any HTTPStreamReceiver
    ) throws(HTTP1Error) -> HTTPStream? {
        guard isIdle else { return nil }
        let framing: HTTP1Framing =
            switch (isEnd, contentLength) {
            case (_, _) where head.upgradeProtocol != nil: .nothing
            case (true, _): HTTP1ClientConnection.methodsWithBody.contains(head.method) ? .length(0) : .nothing
            case (false, let length?): .length(length)
            case (false, nil): .chunked
            }
        outputScratch.removeAll(keepingCapacity: true)
        let usual: HTTP1Connection = head.fields.contains(.te) ? .nominatingTE : .lasting
        let field = head.upgradeProtocol.map(HTTP1Connection.upgrade) ?? usual
        try HTTP1Serializer.appendRequestHead(head, framing: framing, connection: field, into: &outputScratch)
        let stream = HTTP1ClientStream(session: self, framing: framing)
        stream.receiver = receiver
        stream.isFinished = isEnd
        stream.offersUpgrade = head.upgradeProtocol != nil
        self.stream = stream
        channel.keepBuffers(ofByteCount: HTTP1ClientConnection.fastUnconsumedByteCountMax)
        channel.readByteCountMax = HTTP1ClientConnection.unconsumedByteCountMax
        decoder.expectResponse(to: head.method)
        channel.write(outputScratch)
        return stream
    }

    private static let methodsWithBody: Set<String> = ["POST", "PUT", "PATCH"]

    // MARK: ChannelHandler

    package func channelOpened() {}

    package func channelReceived(_ bytes: Span<UInt8>) {
        guard let stream else { return channel.abort(.aborted("the server sent bytes that nobody asked for")) }
        if !hasReceived {
            hasReceived = true
            if Self.areSettings(bytes) {
                return stream.reset(.protocolError, because: .malformed(HTTP1ClientConnection.otherVersion))
            }
        }
        if waiting.isEmpty {
            let taken = decode(bytes)
            if taken < bytes.count, self.stream != nil { waiting.append(bytes.extracting(taken...)) }
        } else {
            waiting.append(bytes)
            let taken = waiting.bytes.withMemoryRebound(to: UInt8.self) { decode($0.span) }
            waiting.removeFirst(min(taken, waiting.count))
        }
    }

    package func channelReachedEnd() {
        guard let stream else { return channel.close() }
        if stream.isUpgraded { return receivedEnd(nil, of: stream) }
        do {
            if case .end(let trailers)? = try decoder.connectionClosed() {
                isReusable = false
                receivedEnd(trailers, of: stream)
                return channel.close()
            }
            channel.close()
        } catch {
            channel.close()
        }
    }

    package func channelDrained() { reportSent() }

    package func channelClosed(_ error: ChannelError?) {
        guard !isClosed else { return }
        isClosed = true
        if let stream { close(stream, .connectionLost(error ?? .closedByPeer)) }
        owner.connectionClosed(self, error: error)
    }

    // MARK: Decoding

    private func decode(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        while let stream, !channel.isClosed {
            if stream.isUpgraded {
                if offset < bytes.count { received(bytes.extracting(offset...), of: stream) }
                return bytes.count
            }
            do {
                let rest = bytes.extracting(offset...)
                let (taken, event) = try decoder.receive(rest)
                offset += taken
                if case .needMore = event { break }
                handle(event, rest, stream)
            } catch {
                stream.reset(.protocolError, because: .malformed(error.explanation))
                return bytes.count
            }
        }
        if stream == nil, offset < bytes.count { channel.abort(.aborted("the server sent more than its response")) }
        return offset
    }

    /// The explanation for a server that answers in HTTP/2 although nobody asked it to.
    package static let otherVersion = "it speaks HTTP/2 and not HTTP/1.1"

    /// Whether the bytes begin like what a server of HTTP/2 says first: a small SETTINGS frame on stream 0.
    private static func areSettings(_ bytes: Span<UInt8>) -> Bool {
        bytes.count >= 9 && bytes[0] == 0 && bytes[3] == 4 && bytes.extracting(5..<9).allSatisfy { $0 == 0 }
    }

    private func handle(_ event: HTTP1ResponseDecoder.Event, _ bytes: Span<UInt8>, _ stream: HTTP1ClientStream) {
        switch event {
        case .needMore: break
        case .head(let head, let facts):
            if !facts.isInterim { isReusable = facts.isKeepAlive && !facts.endsHTTP }
            if facts.endsHTTP, stream.offersUpgrade {
                stream.isUpgraded = true
                stream.framing = .untilClose
            } else if stream.offersUpgrade, !facts.isInterim {
                stream.isFinished = true
            }
            stream.receiver?.streamReceived(head, on: stream)
        case .body(let range): received(bytes.extracting(range), of: stream)
        case .end(let trailers): receivedEnd(trailers, of: stream)
        }
    }

    private func received(_ bytes: Span<UInt8>, of stream: HTTP1ClientStream) {
        stream.unconsumedByteCount += bytes.count
        if let receiver = stream.receiver {
            receiver.streamReceived(bytes, on: stream)
        } else {
            stream.consume(bytes.count)
        }
        if stream.unconsumedByteCount >= stream.window.byteCount { channel.pauseReading() }
        limitReading(stream)
    }

    private func receivedEnd(_ trailers: HTTPFields?, of stream: HTTP1ClientStream) {
        stream.hasReceivedEnd = true
        stream.receiver?.streamReceivedEnd(trailers: trailers, on: stream)
        completeIfDone(stream)
    }

    // MARK: Sending, called by the stream

    func sendBody(_ bytes: UnsafeRawBufferPointer, of stream: HTTP1ClientStream) {
        switch stream.framing {
        case .nothing: return
        // The bytes of another protocol.
        case .untilClose: channel.write(bytes)
        case .length(let left):
            guard bytes.count <= left else { return stream.reset(.internalError) }
            stream.framing = .length(left - bytes.count)
            channel.write(bytes)
        case .chunked:
            outputScratch.removeAll(keepingCapacity: true)
            HTTP1Serializer.appendChunkHead(byteCount: bytes.count, into: &outputScratch)
            channel.write(outputScratch)
            channel.write(bytes)
            HTTP1ClientConnection.chunkEnd.withUTF8Buffer { channel.write(UnsafeRawBufferPointer($0)) }
        }
        stream.unreportedByteCount += bytes.count
        scheduleTurnEnd()
    }

    private static let chunkEnd: StaticString = "\r\n"

    func sendEnd(_ trailers: HTTPFields?, of stream: HTTP1ClientStream) {
        switch stream.framing {
        case .nothing: break
        case .untilClose: channel.shutdownWrite()
        case .length(let left): if left > 0 { return stream.reset(.internalError) }
        case .chunked:
            outputScratch.removeAll(keepingCapacity: true)
            guard (try? HTTP1Serializer.appendLastChunk(trailers: trailers, into: &outputScratch)) != nil else {
                return stream.reset(.internalError)
            }
            channel.write(outputScratch)
        }
        scheduleTurnEnd()
    }

    /// HTTP/1.1 can break an exchange off only with its connection.
    func abort(_ stream: HTTP1ClientStream, _ error: StreamError) {
        isReusable = false
        stream.closeError = error
        channel.abort(.aborted("\(error)"))
    }

    func consumed(_ byteCount: Int, by stream: HTTP1ClientStream) {
        // The path to the target is short; what the reader's own path is like shows in how fast it takes.
        let larger = stream.window.consumed(byteCount, atNanoseconds: channel.loop.now.nanoseconds, roundTrip: 1)
        if let larger { stream.window.grow(to: larger) }
        limitReading(stream)
        if stream.unconsumedByteCount <= stream.window.byteCount / 2 { channel.resumeReading() }
    }

    private func limitReading(_ stream: HTTP1ClientStream) {
        let room = stream.window.byteCount - stream.unconsumedByteCount
        channel.readByteCountMax = max(HTTP1ClientConnection.readByteCountMin, room)
    }

    fileprivate static var window: ReceiveWindow {
        ReceiveWindow(byteCount: unconsumedByteCountMax, nearByteCountMax: fastUnconsumedByteCountMax)
    }

    // MARK: Ending

    private func scheduleTurnEnd() {
        guard !isTurnEndScheduled else { return }
        isTurnEndScheduled = true
        channel.loop.atTurnEnd(self)
    }

    private func reportSent() {
        guard let stream, channel.isDrained() else { return }
        let count = stream.unreportedByteCount
        stream.unreportedByteCount = 0
        if count > 0 { stream.receiver?.streamSent(byteCount: count, on: stream) }
        completeIfDone(stream)
    }

    private func completeIfDone(_ stream: HTTP1ClientStream) {
        guard self.stream === stream, stream.hasReceivedEnd else { return }
        // A server that answers before it has read everything closes as a rule; the rest of the request is not sent.
        if !stream.isFinished { isReusable = false }
        completedCount += 1
        close(stream, nil)
        guard isReusable else { return channel.close() }
        channel.resumeReading()
        owner.connectionIdle(self)
    }

    private func close(_ stream: HTTP1ClientStream, _ error: StreamError?) {
        guard !stream.isClosed else { return }
        stream.isClosed = true
        if self.stream === stream { self.stream = nil }
        channel.keepBuffers(ofByteCount: 0)
        channel.trimBuffers()
        let receiver = stream.receiver
        stream.receiver = nil
        receiver?.streamClosed(stream.closeError ?? error, on: stream)
    }

    package override func drain() {
        isReusable = false
        if stream == nil { channel.close() }
    }
}

extension HTTP1ClientConnection: TurnEndHandler {
    package func turnEnded() {
        isTurnEndScheduled = false
        reportSent()
    }
}

/// One exchange over HTTP/1.1, seen from the client.
final class HTTP1ClientStream: HTTPStream {
    let session: HTTP1ClientConnection
    var framing: HTTP1Framing
    var isFinished = false
    var hasReceivedEnd = false
    var isClosed = false
    /// The request asks to switch protocols, and the server has done so.
    var offersUpgrade = false, isUpgraded = false
    var unreportedByteCount = 0
    var unconsumedByteCount = 0
    var window = HTTP1ClientConnection.window
    var closeError: StreamError?

    init(session: HTTP1ClientConnection, framing: HTTP1Framing) {
        self.session = session
        self.framing = framing
    }

    override var connection: HTTPConnection { session }

    override func write(_ bytes: UnsafeRawBufferPointer) {
        guard !isClosed, !isFinished, bytes.count > 0 else { return }
        session.sendBody(bytes, of: self)
    }

    override func finish(trailers: HTTPFields?) {
        guard !isClosed, !isFinished else { return }
        isFinished = true
        session.sendEnd(trailers, of: self)
    }

    override func reset(_ reason: StreamReset) { reset(reason, because: .cancelled) }

    func reset(_ reason: StreamReset, because error: StreamError) {
        guard !isClosed else { return }
        session.abort(self, error)
    }

    override func consume(_ byteCount: Int) {
        let given = min(byteCount, unconsumedByteCount)
        unconsumedByteCount -= given
        guard !isClosed else { return }
        session.consumed(given, by: self)
    }

    override var unsentByteCount: Int { unreportedByteCount }
}
