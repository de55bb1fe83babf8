package import LinuxIO
package import TLS
package import TunnelWire

/// Where a client connects to, and how.
package struct HTTPEndpoint: Sendable, Hashable {
    package var address: SocketAddress
    /// The name for SNI, certificate check and Host; with the port if it is not the scheme's own.
    package var host: String
    package var isTLS: Bool

    package init(address: SocketAddress, host: String, isTLS: Bool) {
        self.address = address
        self.host = host
        self.isTLS = isTLS
    }

    /// The value of the Host field.
    package var authority: String {
        let isUsual = address.port == (isTLS ? 443 : 80)
        let name = host.contains(":") ? "[\(host)]" : host
        return isUsual ? name : "\(name):\(address.port)"
    }
}

/// Why a request got no response.
package enum HTTPClientError: Error, Sendable, CustomStringConvertible {
    case unreachable(ChannelError)
    /// The connection broke after the request was sent: it may or may not have been carried out.
    case broken(StreamError)
    case responseTooLarge(byteCountMax: Int)
    case timedOut(seconds: Int)
    case illegalRequest(String)

    package var description: String {
        switch self {
        case .unreachable(let error): "\(error)"
        case .broken(let error): "\(error)"
        case .responseTooLarge(let byteCountMax): "the response is longer than \(byteCountMax) bytes"
        case .timedOut(let seconds): "no response within \(seconds) s"
        case .illegalRequest(let why): why
        }
    }
}

/// How much of a response's body a caller is given.
package enum BodyKeeping: Sendable, Hashable {
    /// All of it; a longer one than `HTTPClient.responseByteCountMax` fails the call.
    case whole
    /// Its first bytes, 0 or more. A response whose body is longer is over when one byte more has arrived: `isBodyCut` tells,
    /// and the connection is cut.
    case first(byteCount: Int)
    /// Nothing: the response is over when its head has arrived.
    case nothing

    var byteCountMax: Int {
        switch self {
        case .whole: HTTPClient.responseByteCountMax
        case .first(let byteCount): byteCount
        case .nothing: 0
        }
    }
}

/// Sends whole requests and returns responses over HTTP/1.1, one connection each.
package final class HTTPClient: Sendable {
    package static let responseByteCountMax = 64 * 1024 * 1024

    private let eventLoop: EventLoop
    private let context: TLSContext?

    /// - Parameter trust: nil for a client that speaks clear text only.
    package init(eventLoop: EventLoop, trust: TLSContext.Trust?) throws(TLSError) {
        self.eventLoop = eventLoop
        if let trust {
            context = try TLSContext.client(applicationProtocols: ["http/1.1"], trust: trust)
        } else {
            context = nil
        }
    }

    /// Sends the request; its head's authority and scheme are those of the endpoint.
    ///
    /// When the task is cancelled the connection is cut and `CancellationError` thrown: the request may or may not have been
    /// carried out.
    ///
    /// - Parameters:
    ///   - connectTimeout: how long the connection and its handshake may take; as long as the whole by default.
    ///   - keeping: how much of the response's body is read.
    package func send(
        _ head: HTTPRequestHead, body: [UInt8] = [], to endpoint: HTTPEndpoint, timeoutSeconds: Int = 60,
        connectTimeout: Duration? = nil, keeping: BodyKeeping = .whole
    ) async throws -> BufferedResponse {
        let context = endpoint.isTLS ? self.context : nil
        if endpoint.isTLS, context == nil { throw HTTPClientError.illegalRequest("this client was made without TLS") }
        let cord = RipCord<HTTPCall>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                eventLoop.execute { loop in
                    let call = HTTPCall(
                        head: head, body: body, endpoint: endpoint, timeoutSeconds: timeoutSeconds,
                        connectTimeout: connectTimeout, keeping: keeping
                    ) { continuation.resume(with: $0) }
                    guard cord.attach(LoopBound(call, on: loop)) else { return call.cancel() }
                    call.begin(on: loop, context)
                }
            }
        } onCancel: { [eventLoop] in
            cord.pull(eventLoop)
        }
    }
}

/// One request of `HTTPClient` on its loop.
private final class HTTPCall: ChannelHandler, HTTPStreamReceiver, HTTP1ClientOwner, LoopCall {
    private var head: HTTPRequestHead
    private let body: [UInt8]
    private let endpoint: HTTPEndpoint
    private let timeoutSeconds: Int
    private let connectTimeout: Duration?
    private let keeping: BodyKeeping
    private var completion: ((Result<BufferedResponse, any Error>) -> Void)?
    private var channel: Channel?
    private var connection: HTTP1ClientConnection?
    private var response: BufferedResponse?
    private var timer: TimerID?
    private var connectTimer: TimerID?

    init(
        head: HTTPRequestHead, body: [UInt8], endpoint: HTTPEndpoint, timeoutSeconds: Int, connectTimeout: Duration?,
        keeping: BodyKeeping,
        completion: @escaping (Result<BufferedResponse, any Error>) -> Void
    ) {
        self.head = head
        self.body = body
        self.endpoint = endpoint
        self.timeoutSeconds = timeoutSeconds
        self.connectTimeout = connectTimeout
        self.keeping = keeping
        self.completion = completion
    }

    func begin(on loop: Loop, _ context: TLSContext?) {
        head.authority = endpoint.authority
        do {
            let channel = try Channel.connect(
                to: endpoint.address, on: loop, tls: context, serverName: endpoint.host, handler: self)
            self.channel = channel
            timer = loop.schedule(after: .seconds(timeoutSeconds)) { [self] in
                complete(.failure(HTTPClientError.timedOut(seconds: timeoutSeconds)))
                self.channel?.abort(.timedOut("a response"))
            }
            guard let connectTimeout else { return }
            connectTimer = loop.schedule(after: connectTimeout) { [self] in
                connectTimer = nil
                self.channel?.abort(.timedOut("a connection"))
            }
        } catch {
            complete(.failure(HTTPClientError.unreachable(error)))
        }
    }

    private func stopConnectTimer() {
        if let connectTimer { channel?.loop.cancel(connectTimer) }
        connectTimer = nil
    }

    func cancel() {
        complete(.failure(CancellationError()))
        channel?.abort(.aborted("the caller has given up"))
    }

    private func complete(_ result: Result<BufferedResponse, any Error>) {
        stopConnectTimer()
        guard let completion else { return }
        self.completion = nil
        if let timer { channel?.loop.cancel(timer) }
        completion(result)
    }

    // MARK: ChannelHandler, until HTTP takes over

    func channelOpened() {
        guard let channel else { return }
        stopConnectTimer()
        let connection = HTTP1ClientConnection.client(channel, owner: self)
        self.connection = connection
        do {
            let stream = try connection.request(
                head, isEnd: body.isEmpty, contentLength: body.isEmpty ? nil : body.count, receiver: self)
            guard !body.isEmpty else { return }
            stream?.write(body)
            stream?.finish(trailers: nil)
        } catch {
            complete(.failure(HTTPClientError.illegalRequest(error.explanation)))
            channel.close()
        }
    }

    func channelReceived(_ bytes: Span<UInt8>) {}
    func channelReachedEnd() {}
    func channelDrained() {}
    func channelClosed(_ error: ChannelError?) { complete(.failure(HTTPClientError.unreachable(error ?? .closedByPeer))) }

    // MARK: HTTP1ClientOwner

    func connectionIdle(_ connection: HTTP1ClientConnection) { connection.drain() }
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        complete(.failure(HTTPClientError.broken(.connectionLost(error ?? .closedByPeer))))
        self.connection = nil
        channel = nil
    }

    // MARK: HTTPStreamReceiver

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard head.status >= 200 else { return }
        response = BufferedResponse(status: head.status, fields: head.fields)
        guard keeping == .nothing else { return }
        complete(.success(BufferedResponse(status: head.status, fields: head.fields)))
        stream.reset(.cancel)
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        guard var response else { return }
        // Its bytes have one owner while they grow, so that they are not copied.
        self.response = nil
        let room = keeping.byteCountMax - response.body.count
        bytes.withUnsafeBufferPointer { response.body.append(contentsOf: $0.prefix(room)) }
        response.isBodyCut = bytes.count > room
        self.response = response
        stream.consume(bytes.count)
        guard response.isBodyCut else { return }
        switch keeping {
        case .whole: complete(.failure(HTTPClientError.responseTooLarge(byteCountMax: keeping.byteCountMax)))
        case .first, .nothing: complete(.success(response))
        }
        stream.reset(.cancel)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        if let response { complete(.success(response)) }
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {}

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        if let error { complete(.failure(HTTPClientError.broken(error))) }
    }
}
