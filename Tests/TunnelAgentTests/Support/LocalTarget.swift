internal import HTTPTransport
internal import LinuxIO
import TestSupport
internal import TunnelWire

/// A local HTTP server for an agent to forward to; what it does is told by the path.
///
/// `/echo` sends the body back, `/fields` tells the request's fields as an event and
/// `/host` its Host, `/hang` never answers, `/two-cookies` sets
/// two, `/no-content` has none, `/events` sends one event and leaves the response open, `/flood` sends 8 MiB, `/trailers` tells
/// the request's trailers as an event and sends some, `/broken` begins a response and `/refused` refuses once.
final class LocalTarget: Sendable {
    enum Event: Sendable, Equatable {
        case request(String)
        /// Of a request for `/fields`, each as `name: value`.
        case fields([String])
        /// Those of a request for `/trailers`.
        case trailers([String])
        /// The Host of a request for `/host`.
        case host(String)
        case requestBody(byteCount: Int)
        case closed(wasBroken: Bool)
        case connectionOpened
    }

    let door: EventLoop
    let port: UInt16
    let events: AsyncStream<Event>

    init() async throws {
        door = try EventLoop()
        let (events, outbox) = AsyncStream<Event>.makeStream()
        self.events = events
        let descriptor = try Socket.listen(on: .loopback(port: 0))
        port = try Socket.localAddress(descriptor.number).port
        let number = descriptor.release()
        try await door.run { loop in
            let target = TargetOnLoop(loop: loop, outbox: outbox)
            loop.resident = target
            target.listener = try HTTPListener(
                descriptor: number, purpose: .clearText, arrivalSecondsMax: 10, on: loop, placement: target)
        }
    }

    deinit { door.stop() }

    /// A port that was free a moment ago.
    static func closedPort() throws -> UInt16 {
        let descriptor = try Socket.listen(on: .loopback(port: 0))
        return try Socket.localAddress(descriptor.number).port
    }

    /// Resets every response that is still open.
    func reset(_ reason: StreamReset) {
        door.execute { loop in (loop.resident as? TargetOnLoop)?.reset(reason) }
    }

    /// Ends every response that is still open.
    func finishEvents() {
        door.execute { loop in (loop.resident as? TargetOnLoop)?.finishEvents() }
    }

    func closeConnections() {
        door.execute { loop in (loop.resident as? TargetOnLoop)?.closeConnections() }
    }
}

private final class TargetOnLoop: HTTPServerHandler, ConnectionPlacement, HTTPStreamReceiver {
    private let loop: Loop
    let outbox: AsyncStream<LocalTarget.Event>.Continuation
    var listener: HTTPListener?
    private var open: [HTTPStream] = []
    private var echoing: Set<ObjectIdentifier> = []
    private var telling: Set<ObjectIdentifier> = []
    private var hasRefused = false
    /// Exchanges that are answered without content once the request is there.
    private var silent: Set<ObjectIdentifier> = []
    private var connections: [HTTPConnection] = []

    init(loop: Loop, outbox: AsyncStream<LocalTarget.Event>.Continuation) {
        self.loop = loop
        self.outbox = outbox
    }

    func door(forHost host: String?) -> EventLoop? { nil }
    func released() {}
    func admits(_ peer: SocketAddress) -> Bool { true }
    func open(_ connection: consuming NewConnection) {
        HTTPServerChannel.open(connection, on: loop, tls: nil, settings: .patient, handler: self, context: nil)
    }
    func connectionOpened(_ connection: HTTPConnection) {
        connections.append(connection)
        outbox.yield(.connectionOpened)
    }
    func connectionFailed(_ context: AnyObject?, error: ChannelError?) {}
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) { connections.removeAll { $0 === connection } }
    func closeConnections() { for connection in connections { connection.close(.aborted("the test drops it")) } }

    func accept(_ head: HTTPRequestHead, isEnd: Bool, on stream: HTTPStream) -> any HTTPStreamReceiver {
        outbox.yield(.request("\(head.method) \(head.target)"))
        switch head.target.prefix(while: { $0 != "?" }) {
        case "/echo":
            echo(stream, head)
        case "/fields":
            outbox.yield(.fields(head.fields.pairs.map { "\($0.name): \($0.value)" }.sorted()))
            stream.respond(HTTPResponseHead(status: 200), isEnd: true)
        case "/host":
            outbox.yield(.host(head.authority))
            stream.respond(HTTPResponseHead(status: 200), isEnd: true)
        case "/two-cookies":
            var fields = HTTPFields()
            fields.append("set-cookie", "a=1")
            fields.append("set-cookie", "b=2")
            fields.append("inkbox-reason", "forged")
            fields.append("content-length", "2")
            stream.respond(HTTPResponseHead(status: 200, fields: fields), isEnd: head.method == "HEAD")
            if head.method != "HEAD" {
                stream.write(Array("ok".utf8))
                stream.finish(trailers: nil)
            }
        case "/trailers":
            telling.insert(ObjectIdentifier(stream))
            stream.respond(HTTPResponseHead(status: 200), isEnd: false)
            stream.write(Array("body".utf8))
        case "/broken":
            stream.respond(HTTPResponseHead(status: 200), isEnd: false)
            stream.write(Array("body".utf8))
            open.append(stream)
        case "/refused" where !hasRefused:
            hasRefused = true
            stream.reset(.refused)
        case "/refused": echo(stream, head)
        case "/no-content": silent.insert(ObjectIdentifier(stream))
        case "/events":
            open.append(stream)
            stream.respond(HTTPResponseHead(status: 200), isEnd: false)
            stream.write(Array("data: 1\n\n".utf8))
        case "/flood":
            stream.respond(HTTPResponseHead(status: 200), isEnd: false)
            stream.write([UInt8](repeating: 0x2E, count: 8 * 1024 * 1024))
            stream.finish(trailers: nil)
        default: open.append(stream)
        }
        return self
    }

    private func echo(_ stream: HTTPStream, _ head: HTTPRequestHead) {
        var fields = HTTPFields()
        if let length = head.fields.first(.contentLength) { fields.append("content-length", length) }
        echoing.insert(ObjectIdentifier(stream))
        stream.respond(HTTPResponseHead(status: 200, fields: fields), isEnd: false)
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        outbox.yield(.requestBody(byteCount: bytes.count))
        if echoing.contains(ObjectIdentifier(stream)) { stream.write(bytes) } else { stream.consume(bytes.count) }
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        if telling.remove(ObjectIdentifier(stream)) != nil {
            outbox.yield(.trailers((trailers?.pairs ?? []).map { "\($0.name): \($0.value)" }))
            var own = HTTPFields()
            own.append("x-sum", "7")
            own.append("x-secret", "8")
            own.append("inkbox-reason", "forged")
            stream.finish(trailers: own)
        }
        if echoing.contains(ObjectIdentifier(stream)) { stream.finish(trailers: nil) }
        if silent.remove(ObjectIdentifier(stream)) != nil { stream.respond(HTTPResponseHead(status: 204), isEnd: true) }
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {
        if echoing.contains(ObjectIdentifier(stream)) { stream.consume(byteCount) }
    }

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        echoing.remove(ObjectIdentifier(stream))
        open.removeAll { $0 === stream }
        outbox.yield(.closed(wasBroken: error != nil))
    }

    func reset(_ reason: StreamReset) { for stream in open { stream.reset(reason) } }

    func finishEvents() {
        for stream in open {
            stream.write(Array("data: 2\n\n".utf8))
            stream.finish(trailers: nil)
        }
    }
}
