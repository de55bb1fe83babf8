package import LinuxIO
internal import TunnelDomain
internal import TunnelWire

/// One HTTP/1.1 connection of a client: requests one after the other, pipelined ones kept waiting.
package final class HTTP1ServerConnection: HTTPConnection, ChannelHandler {
    private static let waitingByteCountMax = 64 * 1024
    /// What a connection in use keeps for sending, and reads at a time of a large body.
    private static let bufferByteCount = 256 * 1024

    let settings: HTTP1Settings
    private var server: any HTTPServerHandler
    private var decoder: HTTP1RequestDecoder
    /// Bytes that the decoder has not taken: the beginning of a head, or pipelined requests.
    private var waiting = ByteQueue()
    private var stream: HTTP1ServerStream?
    private var isDraining = false
    /// The next head says that its answer is the last; set with how long silence is waited out before that.
    private var leavingSilenceMax: Duration?
    private var isEnding = false
    private var isClosed = false
    private var isDecoding = false
    private var isTurnEndScheduled = false
    private var outputScratch: [UInt8] = []

    // The clock
    private var watchTimer: TimerID?
    private var headBeganAt: MonotonicInstant?
    private var idleSince: MonotonicInstant
    private var bodyBeganAt: MonotonicInstant?
    private var bodyByteCount = 0

    private init(channel: Channel, server: any HTTPServerHandler, settings: HTTP1Settings) {
        self.server = server
        self.settings = settings
        decoder = HTTP1RequestDecoder(limits: settings.limits, scheme: channel.isTLS ? "https" : "http")
        idleSince = channel.loop.now
        super.init(channel: channel)
    }

    /// Speaks HTTP/1.1 as a server on a channel that is open.
    package static func serve(
        _ channel: Channel, handler: any HTTPServerHandler, settings: HTTP1Settings
    ) -> HTTP1ServerConnection {
        let connection = HTTP1ServerConnection(channel: channel, server: handler, settings: settings)
        channel.replaceHandler(connection)
        connection.watch()
        return connection
    }

    // MARK: ChannelHandler

    package func channelOpened() {}

    package func channelReceived(_ bytes: Span<UInt8>) {
        guard !isEnding else { return }
        if let stream, stream.isUpgraded { return receivedRaw(bytes, stream) }
        if waiting.isEmpty, !mustWait {
            let taken = decode(bytes)
            if taken < bytes.count { waiting.append(bytes.extracting(taken...)) }
        } else {
            waiting.append(bytes)
            decodeWaiting()
        }
        if waiting.count > HTTP1ServerConnection.waitingByteCountMax, mustWait { channel.pauseReading() }
    }

    package func channelReachedEnd() {
        guard let stream, !isEnding else { return channel.close() }
        if stream.isUpgraded { return rawEnded(stream) }
        // The end of a client's bytes is all that shows that it went away; whoever works for it should stop. A client that
        // closes one side only and waits cannot be told apart, and is treated the same by the servers that people know.
        guard stream.isFinished, stream.hasReceivedEnd else { return channel.abort(.closedByPeer) }
        isDraining = true
    }

    package func channelDrained() { reportSent() }

    package func channelClosed(_ error: ChannelError?) {
        guard !isClosed else { return }
        isClosed = true
        if let watchTimer { channel.loop.cancel(watchTimer) }
        // An exchange that is over was closed before: what is still open here has not left as a whole.
        if let stream { close(stream, .connectionLost(error ?? .closedByPeer)) }
        server.connectionClosed(self, error: error)
    }

    // MARK: Decoding

    /// True while the next bytes must wait for the current exchange.
    private var mustWait: Bool { stream.map(\.hasReceivedEnd) ?? false }

    private func decodeWaiting() {
        guard !isDecoding, !waiting.isEmpty, !mustWait, !isEnding else { return }
        let taken = waiting.bytes.withMemoryRebound(to: UInt8.self) { decode($0.span) }
        waiting.removeFirst(min(taken, waiting.count))
    }

    /// Hands events on until the bytes are used up or must wait; returns how many were taken.
    private func decode(_ bytes: Span<UInt8>) -> Int {
        isDecoding = true
        defer { isDecoding = false }
        var offset = 0
        while !mustWait, !isEnding, !channel.isClosed {
            do {
                let rest = bytes.extracting(offset...)
                let (taken, event) = try decoder.receive(rest)
                handle(event, rest)
                offset += taken
                if case .needMore = event {
                    noteHeadBegun(offset < bytes.count)
                    break
                }
            } catch {
                refuse(error)
                return bytes.count
            }
        }
        return isEnding ? bytes.count : offset
    }

    private func handle(_ event: HTTP1RequestDecoder.Event, _ bytes: Span<UInt8>) {
        switch event {
        case .needMore: break
        case .head(let head, let facts): begin(head, facts)
        case .body(let range):
            guard let stream else { return }
            bodyByteCount += range.count
            stream.unconsumedByteCount += range.count
            if let receiver = stream.receiver {
                receiver.streamReceived(bytes.extracting(range), on: stream)
            } else {
                stream.consume(range.count)
            }
            if stream.unconsumedByteCount > settings.unconsumedByteCountMax { channel.pauseReading() }
        case .end(let trailers):
            guard let stream else { return }
            stream.hasReceivedEnd = true
            bodyBeganAt = nil
            stream.receiver?.streamReceivedEnd(trailers: trailers, on: stream)
            completeIfDone(stream)
        }
    }

    private func begin(_ given: HTTPRequestHead, _ facts: HTTP1RequestFacts) {
        headBeganAt = nil
        var head = given
        if head.method == "GET", facts.bodyLength == .none { head.upgradeProtocol = facts.upgrade }
        let stream = HTTP1ServerStream(session: self, isHead: head.method == "HEAD", facts: facts)
        self.stream = stream
        channel.keepBuffers(ofByteCount: HTTP1ServerConnection.bufferByteCount)
        let isEnd = facts.bodyLength == .none
        if isLarge(facts.bodyLength) { channel.setReadByteCount(HTTP1ServerConnection.bufferByteCount) }
        bodyBeganAt = isEnd ? nil : channel.loop.now
        bodyByteCount = 0
        stream.receiver = server.accept(head, isEnd: isEnd, on: stream)
    }

    private func isLarge(_ length: HTTP1BodyLength) -> Bool {
        switch length {
        case .none: false
        case .length(let count): count > HTTP1ServerConnection.bufferByteCount
        case .chunked, .untilClose: true
        }
    }

    /// Answers what is no HTTP with the reason, and closes.
    private func refuse(_ error: HTTP1Error) {
        if let stream, stream.hasSentHead { return channel.abort(.aborted(error.explanation)) }
        send(MessageRefusal(status: error.status, explanation: error.explanation))
        if let stream { close(stream, .malformed(error.explanation)) }
        linger()
    }

    private func send(_ refusal: MessageRefusal) {
        isEnding = true
        let answer = server.answer(to: refusal)
        var output: [UInt8] = []
        // The serializer refuses only illegal bytes, and these are the handler's own.
        try? HTTP1Serializer.appendResponseHead(
            answer.head, framing: .length(answer.body.count), connection: .close, into: &output)
        channel.write(output + answer.body)
    }

    // MARK: Upgrading

    /// From here on the bytes of both sides belong to another protocol (RFC 9110 §7.8).
    private func upgrade(_ stream: HTTP1ServerStream) {
        stream.isUpgraded = true
        stream.framing = .untilClose
        stream.hasReceivedEnd = false
        isDraining = true
        channel.resumeReading()
        // What came behind the request is not handed over from inside of `respond`.
        if !waiting.isEmpty { scheduleTurnEnd() }
    }

    private func receivedRaw(_ bytes: Span<UInt8>, _ stream: HTTP1ServerStream) {
        handOverWaiting(to: stream)
        stream.unconsumedByteCount += bytes.count
        if let receiver = stream.receiver {
            receiver.streamReceived(bytes, on: stream)
        } else {
            stream.consume(bytes.count)
        }
        if stream.unconsumedByteCount > settings.unconsumedByteCountMax { channel.pauseReading() }
    }

    private func handOverWaiting(to stream: HTTP1ServerStream) {
        guard !waiting.isEmpty else { return }
        let early = [UInt8](waiting.bytes)
        waiting.removeFirst(early.count)
        receivedRaw(early.span, stream)
    }

    private func rawEnded(_ stream: HTTP1ServerStream) {
        handOverWaiting(to: stream)
        stream.hasReceivedEnd = true
        stream.receiver?.streamReceivedEnd(trailers: nil, on: stream)
        completeIfDone(stream)
    }

    // MARK: Sending, called by the stream

    func sendInterim(_ head: HTTPResponseHead) {
        outputScratch.removeAll(keepingCapacity: true)
        guard
            (try? HTTP1Serializer.appendInterimHead(status: head.status, fields: head.fields, into: &outputScratch)) != nil
        else { return }
        channel.write(outputScratch)
    }

    func sendHead(_ head: HTTPResponseHead, isEnd: Bool, of stream: HTTP1ServerStream) {
        let isBodyless = stream.isHead || head.status == 204 || head.status == 304
        let announced = head.fields.first(.contentLength).flatMap { Int($0) }
        stream.framing =
            switch (isBodyless, isEnd, announced) {
            case (true, _, _): .none
            case (false, true, _): .length(left: 0)
            case (false, false, let length?): .length(left: length)
            case (false, false, nil): stream.facts.version == .http11 ? .chunked : .untilClose
            }
        let output: HTTP1Framing =
            switch stream.framing {
            case .none: head.status == 204 ? .nothing : announced.map { .length($0) } ?? .nothing
            case .length(let left): .length(left)
            case .chunked: .chunked
            case .untilClose: .untilClose
            }
        if case .untilClose = stream.framing { isDraining = true }
        if stream.awaitsBody, isEnd { isDraining = true }
        var field = connectionField(for: stream)
        var framing = output
        if head.status == 101, let name = stream.facts.upgrade {
            upgrade(stream)
            (field, framing) = (.upgrade(name), .nothing)
        }
        outputScratch.removeAll(keepingCapacity: true)
        do {
            try HTTP1Serializer.appendResponseHead(head, framing: framing, connection: field, into: &outputScratch)
            channel.write(outputScratch)
        } catch {
            stream.receiver?.streamClosed(.malformed(error.explanation), on: stream)
            stream.receiver = nil
            channel.abort(.aborted(error.explanation))
        }
    }

    func sendBody(_ bytes: UnsafeRawBufferPointer, of stream: HTTP1ServerStream) {
        switch stream.framing {
        case .none: break
        case .untilClose: channel.write(bytes)
        case .length(let left):
            guard bytes.count <= left else { return channel.abort(.aborted("the body is longer than its Content-Length")) }
            stream.framing = .length(left: left - bytes.count)
            channel.write(bytes)
        case .chunked:
            outputScratch.removeAll(keepingCapacity: true)
            HTTP1Serializer.appendChunkHead(byteCount: bytes.count, into: &outputScratch)
            channel.write(outputScratch)
            channel.write(bytes)
            HTTP1ServerConnection.chunkEnd.withUTF8Buffer { channel.write(UnsafeRawBufferPointer($0)) }
        }
        stream.unreportedByteCount += bytes.count
        scheduleTurnEnd()
    }

    private static let chunkEnd: StaticString = "\r\n"

    func sendEnd(_ trailers: HTTPFields?, of stream: HTTP1ServerStream) {
        switch stream.framing {
        case .none: break
        case .untilClose: isDraining = true
        case .length(let left):
            guard left == 0 else { return channel.abort(.aborted("the body is shorter than its Content-Length")) }
        case .chunked:
            outputScratch.removeAll(keepingCapacity: true)
            guard (try? HTTP1Serializer.appendLastChunk(trailers: trailers, into: &outputScratch)) != nil else {
                return channel.abort(.aborted("illegal trailers"))
            }
            channel.write(outputScratch)
        }
        scheduleTurnEnd()
    }

    func abort(_ stream: HTTP1ServerStream) {
        channel.abort(.aborted("the exchange was cancelled"))
    }

    func consumed(by stream: HTTP1ServerStream) {
        if stream.unconsumedByteCount <= settings.unconsumedByteCountMax / 2 { channel.resumeReading() }
    }

    private func connectionField(for stream: HTTP1ServerStream) -> HTTP1Connection {
        guard mayKeepAlive(after: stream), leavingSilenceMax == nil else {
            stream.hasSaidClose = true
            return .close
        }
        return stream.facts.version == .http11 ? .lasting : .keepAlive
    }

    private func mayKeepAlive(after stream: HTTP1ServerStream) -> Bool { stream.facts.isKeepAlive && !isDraining && !isEnding }

    // MARK: Ending an exchange

    private func scheduleTurnEnd() {
        guard !isTurnEndScheduled else { return }
        isTurnEndScheduled = true
        channel.loop.atTurnEnd(self)
    }

    /// Tells the stream what has left, once the channel is not holding much.
    private func reportSent() {
        guard let stream, channel.isDrained() else { return }
        let count = stream.unreportedByteCount
        stream.unreportedByteCount = 0
        if count > 0 { stream.receiver?.streamSent(byteCount: count, on: stream) }
        completeIfDone(stream)
    }

    /// Goes on to the next request when the response is out, or closes.
    private func completeIfDone(_ stream: HTTP1ServerStream) {
        guard stream.isFinished, !isDecoding, self.stream === stream else { return }
        guard stream.hasReceivedEnd else {
            // The rest of the request is of no use; reading it would let a client keep us busy.
            isEnding = true
            close(stream, nil)
            return linger()
        }
        // A client that was not told has perhaps sent its next request.
        let isKeptAlive = mayKeepAlive(after: stream) && !stream.hasSaidClose
        close(stream, nil)
        guard isKeptAlive else { return endPolitely() }
        if let leavingSilenceMax { closeAfterSilence(leavingSilenceMax) }
        idleSince = channel.loop.now
        channel.resumeReading()
        decodeWaiting()
    }

    private func endPolitely() {
        isEnding = true
        channel.close()
    }

    /// Sends the last bytes, then reads and drops what still comes for a moment.
    private func linger() {
        channel.resumeReading()
        channel.shutdownWrite()
        channel.loop.schedule(after: .seconds(settings.lingerSecondsMax)) { [channel] in channel.close() }
    }

    private func close(_ stream: HTTP1ServerStream, _ error: StreamError?) {
        guard !stream.isClosed else { return }
        stream.isClosed = true
        if self.stream === stream { self.stream = nil }
        if isLarge(stream.facts.bodyLength) { channel.setReadByteCount(0) }
        // Between requests a connection is likely to idle: it keeps no buffer.
        channel.keepBuffers(ofByteCount: 0)
        channel.trimBuffers()
        let receiver = stream.receiver
        stream.receiver = nil
        receiver?.streamClosed(error, on: stream)
    }

    package override func move(
        to door: EventLoop, arrive: @escaping (Loop) -> any HTTPServerHandler, leave: @escaping () -> Void
    ) {
        channel.move(to: door) { [self] in
            if let watchTimer { channel.loop.cancel(watchTimer) }
            leave()
        } arrive: { [self] channel in
            watch()
            server = arrive(channel.loop)
        }
    }

    package override func drain() {
        isDraining = true
        if stream == nil, waiting.isEmpty { endPolitely() }
    }

    /// The next answer says that it is the last. A silent client may be about to ask: it is waited for.
    package override func drainPolitely(silenceMax: Duration) {
        leavingSilenceMax = silenceMax
        closeAfterSilence(silenceMax)
    }

    private func closeAfterSilence(_ silenceMax: Duration) {
        channel.loop.schedule(after: silenceMax) { [self] in
            guard !isClosed, stream == nil, waiting.isEmpty, headBeganAt == nil, !channel.hasUnreadBytes else { return }
            endPolitely()
        }
    }

    // MARK: The clock

    private func noteHeadBegun(_ hasPart: Bool) {
        if stream == nil, hasPart || decoder.isInsideMessage, headBeganAt == nil { headBeganAt = channel.loop.now }
    }

    private func watch() {
        watchTimer = channel.loop.schedule(after: .seconds(settings.watchSeconds)) { [self] in
            look(at: channel.loop.now)
            if !isClosed { watch() }
        }
    }

    private func look(at now: MonotonicInstant) {
        if channel.unsentByteCount > 0 {
            if channel.lastSentAt + .seconds(settings.writeStallSecondsMax) <= now {
                channel.abort(.timedOut("the client to read"))
            }
        } else if let began = headBeganAt {
            if began + .seconds(settings.headSecondsMax) <= now { refuseLate() }
        } else if stream == nil {
            if idleSince + .seconds(settings.idleSecondsMax) <= now { endPolitely() }
        } else if let began = bodyBeganAt, let stream, stream.unconsumedByteCount == 0, !stream.hasSentHead {
            lookAtBody(began, now)
        }
    }

    private func lookAtBody(_ began: MonotonicInstant, _ now: MonotonicInstant) {
        let seconds = Int((now.nanoseconds - began.nanoseconds) / 1_000_000_000) - settings.bodyGraceSeconds
        guard seconds > 0, bodyByteCount < seconds * settings.bodyBytesPerSecondMin else { return }
        channel.abort(.timedOut("the request body, which comes too slowly"))
    }

    private func refuseLate() {
        headBeganAt = nil
        send(MessageRefusal(status: 408, explanation: "The head of the request took too long to arrive."))
        linger()
    }
}

extension HTTP1ServerConnection: TurnEndHandler {
    package func turnEnded() {
        isTurnEndScheduled = false
        if let stream, stream.isUpgraded { handOverWaiting(to: stream) }
        reportSent()
    }
}
