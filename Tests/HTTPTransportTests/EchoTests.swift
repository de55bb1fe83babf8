import HTTPTransport
import LinuxIO
import Synchronization
import TLS
import Testing
import TunnelDomain
import TunnelWire

/// Answers every request with its own body, its method in a field, and trailers when there were some.
private final class Echo: HTTPServerHandler, ConnectionPlacement, HTTPStreamReceiver {
    private let loop: Loop
    private let tls: TLSContext?
    var listener: HTTPListener?

    init(loop: Loop, tls: TLSContext?) {
        self.loop = loop
        self.tls = tls
    }

    func door(forHost host: String?) -> EventLoop? { nil }
    func admits(_ peer: SocketAddress) -> Bool { true }
    func open(_ connection: consuming NewConnection) {
        HTTPServerChannel.open(connection, on: loop, tls: tls, settings: HTTPServerSettings(), handler: self, context: nil)
    }

    func accept(_ head: HTTPRequestHead, isEnd: Bool, on stream: HTTPStream) -> any HTTPStreamReceiver {
        var fields = HTTPFields()
        fields.append("x-method", head.method)
        fields.append("x-target", head.target)
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

/// Starts an echo server on a free port of loopback.
private func startEcho(on door: EventLoop, tls: TLSContext?) async throws -> SocketAddress {
    let descriptor = try Socket.listen(on: .loopback(port: 0))
    let address = try Socket.localAddress(descriptor.number)
    let number = descriptor.release()
    try await door.run { loop in
        let echo = Echo(loop: loop, tls: tls)
        loop.resident = echo
        echo.listener = try HTTPListener(
            descriptor: number, isTLS: tls != nil, arrivalSecondsMax: 10, on: loop, placement: echo)
    }
    return address
}

private let bodies = [0, 1, 100, 16_384, 300_000, 5_000_000]

@Test(arguments: bodies)
func `a body comes back as it was sent over clear HTTP/1.1`(byteCount: Int) async throws {
    let door = try EventLoop()
    defer { door.stop() }
    let address = try await startEcho(on: door, tls: nil)
    let client = try HTTPClient(eventLoop: door, trust: nil)
    let body = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let head = HTTPRequestHead(method: "POST", target: "/a?b=c", authority: "")
    let endpoint = HTTPEndpoint(address: address, host: "localhost", isTLS: false)
    let response = try await client.send(head, body: body, to: endpoint)
    #expect(response.head.status == 200)
    #expect(response.head.fields.first(named: "x-method") == "POST")
    #expect(response.head.fields.first(named: "x-target") == "/a?b=c")
    #expect(response.body == body)
}
