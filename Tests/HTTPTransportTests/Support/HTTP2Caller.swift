import HTTPTransport
import LinuxIO
import TLS
import TestSupport
import TunnelDomain
import TunnelWire

/// What came back for one request.
struct CallResult: Sendable {
    var status = 0
    var fields = HTTPFields()
    var body: [UInt8] = []
    var trailers: HTTPFields?
    var error: StreamError?
}

/// What became of a client's connection.
enum ConnectionEvent: Sendable, Hashable {
    case goingAway(errorCode: UInt32, debugData: [UInt8])
    case closed
}

/// A client with one HTTP/2 connection that sends requests and gathers the answers.
final class HTTP2Caller: ChannelHandler, HTTP2ClientOwner {
    private var channel: Channel?
    private(set) var connection: HTTP2Connection?
    var journal: Journal<ConnectionEvent>?
    private var waiting: [(HTTP2Connection?) -> Void] = []

    private init() {}

    static func open(to address: SocketAddress, tls: TLSContext?, host: String = "localhost", on loop: Loop) throws
        -> HTTP2Caller
    {
        let caller = HTTP2Caller()
        caller.channel = try Channel.connect(
            to: address, on: loop, tls: tls, serverName: tls == nil ? nil : host, handler: caller)
        return caller
    }

    /// Calls back on the loop with the whole answer.
    func send(_ head: HTTPRequestHead, body: [UInt8] = [], trailers: HTTPFields? = nil, done: @escaping (CallResult) -> Void) {
        whenReady { connection in
            let collector = Collector(done)
            let isEnd = body.isEmpty && trailers == nil
            guard let stream = connection?.request(head, isEnd: isEnd, receiver: collector) else {
                return done(CallResult(error: .refusedByPeer))
            }
            guard !isEnd else { return }
            stream.write(body)
            stream.finish(trailers: trailers)
        }
    }

    private func whenReady(_ action: @escaping (HTTP2Connection?) -> Void) {
        if let connection { action(connection) } else { waiting.append(action) }
    }

    func channelOpened() {
        guard let channel else { return }
        var settings = HTTP2Settings()
        settings.connectionWindowByteCount = 1024 * 1024
        _ = HTTP2Connection.client(channel, owner: self, settings: settings)
    }

    func connectionReady(_ connection: HTTP2Connection) {
        self.connection = connection
        waiting.forEach { $0(connection) }
        waiting = []
    }

    func connectionGoingAway(_ connection: HTTP2Connection, errorCode: UInt32, debugData: [UInt8]) {
        journal?.add(.goingAway(errorCode: errorCode, debugData: debugData))
    }
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        journal?.add(.closed)
        channel = nil
    }
    func channelReceived(_ bytes: Span<UInt8>) {}
    func channelReachedEnd() {}
    func channelDrained() {}
    func channelClosed(_ error: ChannelError?) {
        waiting.forEach { $0(nil) }
        waiting = []
    }
}

/// Gathers one answer.
final class Collector: HTTPStreamReceiver {
    private var result = CallResult()
    private let done: (CallResult) -> Void

    init(_ done: @escaping (CallResult) -> Void) { self.done = done }

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        result.status = head.status
        result.fields = head.fields
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        bytes.withUnsafeBufferPointer { result.body.append(contentsOf: $0) }
        stream.consume(bytes.count)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) { result.trailers = trailers }
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        result.error = error
        done(result)
    }
}

extension EventLoop {
    /// Runs work on the loop that answers later, by a call.
    func call<Answer: Sendable>(
        _ work: @escaping @Sendable (Loop, @escaping @Sendable (Answer) -> Void) throws -> Void
    ) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            execute { loop in
                do {
                    try work(loop) { continuation.resume(returning: $0) }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}
