import HTTPTransport
import LinuxIO
import TestSupport
import TLS
import TunnelDomain
import TunnelWire

/// Answers every request with its own body, its method and target in fields, and its trailers.
final class EchoServer: HTTPServerHandler, ConnectionPlacement, HTTPStreamReceiver {
    private let loop: Loop
    private let tls: TLSContext?
    private let settings: HTTPServerSettings
    private var listener: HTTPListener?

    private init(loop: Loop, tls: TLSContext?, settings: HTTPServerSettings) {
        self.loop = loop
        self.tls = tls
        self.settings = settings
    }

    /// Starts on a free port of loopback.
    static func start(
        on door: EventLoop, tls: TLSContext? = nil, settings: HTTPServerSettings = .patient
    ) async throws -> SocketAddress {
        let descriptor = try Socket.listen(on: .loopback(port: 0))
        let address = try Socket.localAddress(descriptor.number)
        let number = descriptor.release()
        try await door.run { loop in
            let echo = EchoServer(loop: loop, tls: tls, settings: settings)
            loop.resident = echo
            echo.listener = try HTTPListener(
                descriptor: number, purpose: tls == nil ? .clearText : .tls, arrivalSecondsMax: 600, on: loop, placement: echo)
        }
        return address
    }

    func door(forHost host: String?) -> EventLoop? { nil }
    func released() {}
    func admits(_ peer: SocketAddress) -> Bool { true }
    func open(_ connection: consuming NewConnection) {
        HTTPServerChannel.open(connection, on: loop, tls: tls, settings: settings, handler: self, context: nil)
    }

    func accept(_ head: HTTPRequestHead, isEnd: Bool, on stream: HTTPStream) -> any HTTPStreamReceiver {
        var fields = HTTPFields()
        fields.append("x-method", head.method)
        fields.append("x-target", head.target)
        fields.append("x-authority", head.authority)
        stream.respond(HTTPResponseHead(status: 200, fields: fields), isEnd: false)
        return self
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) { stream.write(bytes) }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) { stream.finish(trailers: trailers) }
    func streamSent(byteCount: Int, on stream: HTTPStream) { stream.consume(byteCount) }
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {}
    func connectionOpened(_ connection: HTTPConnection) {}
    func connectionFailed(_ context: AnyObject?, error: ChannelError?) {}
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {}
}
