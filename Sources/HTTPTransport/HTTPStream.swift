package import LinuxIO
package import TunnelWire

/// Why an exchange ended early.
package enum StreamError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The peer cancelled the exchange, or broke off in the middle of a message.
    case cancelledByPeer
    /// The connection below is gone.
    case connectionLost(ChannelError)
    /// The peer's bytes were no HTTP; the text says what was wrong.
    case malformed(String)
    /// The peer refused the exchange before doing anything: it may be tried again elsewhere.
    case refusedByPeer
    /// We ended it.
    case cancelled

    package var description: String {
        switch self {
        case .cancelledByPeer: "the peer cancelled the exchange"
        case .connectionLost(let error): "connection lost: \(error)"
        case .malformed(let what): what
        case .refusedByPeer: "the peer refused the exchange"
        case .cancelled: "cancelled"
        }
    }
}

/// How to end an exchange early.
package enum StreamReset: Sendable {
    /// Nobody wants the result any more.
    case cancel
    /// Something broke on our side, or behind us.
    case internalError
    /// The peer's message is at fault.
    case protocolError
    /// The exchange was not begun and may be tried again.
    case refused
    /// The peer asks for more than there is.
    case overloaded
}

/// Hears one exchange; the calls come on the loop, in order.
package protocol HTTPStreamReceiver: AnyObject {
    /// The head of a response, interim (1xx) ones included. Only clients get it.
    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream)
    /// A part of the body, valid only during the call. Its bytes count against the peer's window until `consume`.
    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream)
    /// The message is complete.
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream)
    /// Bytes given to `write` have left for the transport: the moment to `consume` at the other end of a pipe.
    func streamSent(byteCount: Int, on stream: HTTPStream)
    /// There may be more room in the peer's windows; comes after `HTTP2Connection.tellWhenRoom` asked for it.
    func streamHasRoom(on stream: HTTPStream)
    /// Always the last call, exactly once; nil if both messages were complete.
    func streamClosed(_ error: StreamError?, on stream: HTTPStream)
}

extension HTTPStreamReceiver {
    package func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {}
    package func streamHasRoom(on stream: HTTPStream) {}
}

/// One exchange of a request and a response, seen from one end, over HTTP/1.1 or HTTP/2.
///
/// What is written leaves as fast as the peer takes it; what is received must be given back with `consume`, and the
/// peer is held up by what has not been. Nothing is called back from inside of `write`, `respond`, `finish` or `reset`.
package class HTTPStream {
    package final var receiver: (any HTTPStreamReceiver)?
    /// What the peer's reset said, for whoever passes it on; nil when the peer has not reset the exchange.
    package internal(set) final var peersReset: StreamReset?
    /// The connection that carries the exchange.
    package var connection: HTTPConnection { preconditionFailure("every kind of stream names its connection") }

    /// Sends an interim response (100...199 but 101).
    package func sendInterim(_ head: HTTPResponseHead) {}
    /// Sends the head of the response; with `isEnd` the response has no body.
    package func respond(_ head: HTTPResponseHead, isEnd: Bool) {}
    package func write(_ bytes: UnsafeRawBufferPointer) {}
    /// Completes our message.
    package func finish(trailers: HTTPFields?) {}
    package func reset(_ reason: StreamReset) {}
    /// Gives bytes of the peer's message back to its window.
    package func consume(_ byteCount: Int) {}
    /// The bytes written that have not left for the transport.
    package var unsentByteCount: Int { 0 }

    package final func write(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { write(UnsafeRawBufferPointer($0)) }
    }

    package final func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    /// Sends a whole response at once.
    package final func respond(_ head: HTTPResponseHead, body: [UInt8]) {
        respond(head, isEnd: body.isEmpty)
        guard !body.isEmpty else { return }
        write(body)
        finish(trailers: nil)
    }
}

/// A connection that carries exchanges.
package class HTTPConnection {
    package final let channel: Channel
    /// What the owner of the connection wants to remember with it.
    package final var context: AnyObject?

    init(channel: Channel) { self.channel = channel }

    package final var isTLS: Bool { channel.isTLS }
    package var isHTTP2: Bool { false }
    /// Lets what is under way finish, takes nothing new, then closes.
    package func drain() {}
    /// The same for a connection whose peer may have begun something that is still on its way: that is served too.
    ///
    /// - Parameter silenceMax: How long a silent connection is kept whose protocol has no words for such an end.
    package func drainPolitely(silenceMax: Duration) { drain() }
    package func close(_ error: ChannelError) { channel.abort(error) }
    /// Takes a server's connection to another loop at the end of this turn. `leave` runs last on this loop, `arrive` on the
    /// new one, where it names the handler that serves the connection from then on. Nothing but what moves along may refer
    /// to the old loop.
    package func move(
        to door: EventLoop, arrive: @escaping (Loop) -> any HTTPServerHandler, leave: @escaping () -> Void
    ) {
        preconditionFailure("only a server's connection moves")
    }
}

/// Decides who hears an exchange that a client has begun.
package protocol HTTPServerHandler: AnyObject {
    /// - Parameter isEnd: the request has no body.
    func accept(_ head: HTTPRequestHead, isEnd: Bool, on stream: HTTPStream) -> any HTTPStreamReceiver
    /// What a client is told whose message was refused before it became an exchange.
    func answer(to refusal: MessageRefusal) -> BufferedResponse
    /// The head of an HTTP/2 request broke off at an illegal field, so its stream was reset; this is what came before.
    func headBroke(off head: HTTPRequestHead, on connection: HTTPConnection)
    /// An HTTP/2 client reset an exchange that was over on this side: the two passed each other on the way.
    ///
    /// - Parameter wasRefused: it says that it has not begun anything (RFC 9113 section 8.7).
    func resetCameLate(forStream id: Int32, wasRefused: Bool, on connection: HTTPConnection)
    /// A connection stands and speaks HTTP.
    func connectionOpened(_ connection: HTTPConnection)
    /// A connection ended before it spoke HTTP; the context is the one it was opened with.
    func connectionFailed(_ context: AnyObject?, error: ChannelError?)
    /// A connection that was opened has ended; its exchanges have been told.
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?)
}

extension HTTPServerHandler {
    package func headBroke(off head: HTTPRequestHead, on connection: HTTPConnection) {}
    package func resetCameLate(forStream id: Int32, wasRefused: Bool, on connection: HTTPConnection) {}
}
