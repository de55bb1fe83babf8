internal import HTTPTransport
internal import LinuxIO
internal import TLS
internal import TunnelWire

/// The loop's side of a `StreamedExchange`.
final class StreamedCall: ChannelHandler, HTTPStreamReceiver, HTTP1ClientOwner {
    private var head: HTTPRequestHead
    private let body: [UInt8]
    private let endpoint: HTTPEndpoint
    private let mailbox: StreamMailbox
    private let timeoutSeconds: Int
    private let silenceSeconds: Int
    private var channel: Channel?
    private var connection: HTTP1ClientConnection?
    private var stream: HTTPStream?
    private var timer: TimerID?
    private var isHeadReceived = false
    private var hasEnded = false
    /// Bytes that the reader has not taken: while there are some, the silence is not the server's.
    private var unconsumedByteCount = 0

    init(
        head: HTTPRequestHead, body: [UInt8], endpoint: HTTPEndpoint, mailbox: StreamMailbox, timeoutSeconds: Int,
        silenceSeconds: Int
    ) {
        self.head = head
        self.body = body
        self.endpoint = endpoint
        self.mailbox = mailbox
        self.timeoutSeconds = timeoutSeconds
        self.silenceSeconds = silenceSeconds
    }

    func begin(on loop: Loop, _ context: TLSContext?) {
        head.authority = endpoint.authority
        guard mailbox.begin(LoopBound(self, on: loop)) else { return }
        do {
            channel = try Channel.connect(
                to: endpoint.address, on: loop, tls: context, serverName: endpoint.host, handler: self)
            startTimer(seconds: timeoutSeconds)
        } catch {
            end(HTTPClientError.unreachable(error))
        }
    }

    func consumed(_ byteCount: Int) {
        unconsumedByteCount -= byteCount
        stream?.consume(byteCount)
    }

    func cancel() {
        end(CancellationError())
        channel?.abort(.aborted("the reader has gone"))
    }

    private func startTimer(seconds: Int) {
        guard let channel, !hasEnded else { return }
        if let timer { channel.loop.cancel(timer) }
        timer = channel.loop.schedule(after: .seconds(seconds)) { [self] in
            timer = nil
            if isHeadReceived, unconsumedByteCount > 0 { return startTimer(seconds: silenceSeconds) }
            end(HTTPClientError.timedOut(seconds: seconds))
            self.channel?.abort(.timedOut(isHeadReceived ? "more of a response" : "a response"))
        }
    }

    private func end(_ error: (any Error)?) {
        guard !hasEnded else { return }
        hasEnded = true
        if let timer { channel?.loop.cancel(timer) }
        timer = nil
        switch error {
        case let error as HTTPClientError where isHeadReceived:
            mailbox.end(NetworkTransport.failure(error, silenceSeconds))
        default: mailbox.end(error)
        }
    }

    // MARK: ChannelHandler, until HTTP takes over

    func channelOpened() {
        guard let channel else { return }
        let connection = HTTP1ClientConnection.client(channel, owner: self)
        self.connection = connection
        do {
            stream = try connection.request(
                head, isEnd: body.isEmpty, contentLength: body.isEmpty ? nil : body.count, receiver: self)
            guard !body.isEmpty else { return }
            stream?.write(body)
            stream?.finish(trailers: nil)
        } catch {
            end(HTTPClientError.illegalRequest(error.explanation))
            channel.close()
        }
    }

    func channelReceived(_ bytes: Span<UInt8>) {}
    func channelReachedEnd() {}
    func channelDrained() {}
    func channelClosed(_ error: ChannelError?) {
        end(HTTPClientError.unreachable(error ?? .closedByPeer))
        channel = nil
    }

    // MARK: HTTP1ClientOwner

    func connectionIdle(_ connection: HTTP1ClientConnection) { connection.drain() }
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        end(HTTPClientError.broken(.connectionLost(error ?? .closedByPeer)))
        self.connection = nil
        channel = nil
    }

    // MARK: HTTPStreamReceiver

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard head.status >= 200 else { return }
        isHeadReceived = true
        startTimer(seconds: silenceSeconds)
        mailbox.received(head)
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        guard bytes.count > 0 else { return }
        unconsumedByteCount += bytes.count
        startTimer(seconds: silenceSeconds)
        mailbox.received(bytes)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) { end(nil) }

    func streamSent(byteCount: Int, on stream: HTTPStream) {}

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        if let error { end(HTTPClientError.broken(error)) }
        self.stream = nil
    }
}
