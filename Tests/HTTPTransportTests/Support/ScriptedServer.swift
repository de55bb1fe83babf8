import HTTPTransport
import LinuxIO
import TestSupport
import TunnelDomain
import TunnelWire

/// What a server does with a request, on its loop.
struct Script: Sendable {
    var onHead: @Sendable (HTTPRequestHead, HTTPStream) -> Void = { _, _ in }
    /// Is to consume the bytes sooner or later.
    var onBody: @Sendable (Int, HTTPStream) -> Void = { count, stream in stream.consume(count) }
    var onEnd: @Sendable (HTTPRequestHead, HTTPStream) -> Void = { _, stream in
        stream.respond(HTTPResponseHead(status: 204), isEnd: true)
    }
    var onSent: @Sendable (Int, HTTPStream) -> Void = { _, _ in }
}

/// What a server saw.
enum ServerEvent: Sendable {
    case opened
    case head(String, isEnd: Bool)
    case body(byteCount: Int)
    case end(trailers: HTTPFields?)
    case streamClosed(StreamError?)
    case connectionClosed(ChannelError?)
}

extension [ServerEvent] {
    var targets: [String] { compactMap { if case .head(let target, _) = $0 { target } else { nil } } }
    var bodyByteCount: Int { reduce(0) { if case .body(let count) = $1 { $0 + count } else { $0 } } }
    var trailers: [HTTPFields?] { compactMap { if case .end(let trailers) = $0 { trailers } else { nil } } }
    var endCount: Int { count { if case .end = $0 { true } else { false } } }
    var streamClosings: [StreamError?] { compactMap { if case .streamClosed(let error) = $0 { .some(error) } else { nil } } }
    var connectionClosings: [ChannelError?] {
        compactMap { if case .connectionClosed(let error) = $0 { .some(error) } else { nil } }
    }
}

/// A server on a free port of loopback that follows a script and writes down what it sees.
struct ScriptedServer: Sendable {
    let address: SocketAddress
    let door: EventLoop
    let journal: Journal<ServerEvent>
    private let residents: LoopBound<ScriptedPlacement>

    static func start(
        on door: EventLoop, settings: HTTPServerSettings = .patient, arrivalSecondsMax: Int = 600,
        _ script: Script = Script()
    ) async throws -> ScriptedServer {
        let descriptor = try Socket.listen(on: .loopback(port: 0))
        let address = try Socket.localAddress(descriptor.number)
        let number = descriptor.release()
        let journal = Journal<ServerEvent>()
        let bound = try await door.run { loop in
            let placement = ScriptedPlacement(
                loop: loop, listener: FileDescriptor(number: number), settings: settings,
                handler: ScriptedHandler(script, journal))
            try placement.listen(arrivalSecondsMax: arrivalSecondsMax)
            return LoopBound(placement, on: loop)
        }
        return ScriptedServer(address: address, door: door, journal: journal, residents: bound)
    }

    /// Does something with the streams that are open, oldest first.
    @discardableResult
    func withStreams<Result: Sendable>(_ action: @escaping @Sendable ([HTTPStream]) -> Result) async throws -> Result {
        try await door.run { [residents] loop in action(residents.value(on: loop).handler.streams) }
    }

    @discardableResult
    func withConnections<Result: Sendable>(_ action: @escaping @Sendable ([HTTPConnection]) -> Result) async throws -> Result {
        try await door.run { [residents] loop in action(residents.value(on: loop).handler.connections) }
    }
}

private final class ScriptedPlacement: ConnectionPlacement {
    private let loop: Loop
    private let descriptor: FileDescriptor
    private let settings: HTTPServerSettings
    let handler: ScriptedHandler
    private var listener: HTTPListener?

    init(loop: Loop, listener: consuming FileDescriptor, settings: HTTPServerSettings, handler: ScriptedHandler) {
        self.loop = loop
        descriptor = listener
        self.settings = settings
        self.handler = handler
    }

    func listen(arrivalSecondsMax: Int) throws {
        listener = try HTTPListener(
            descriptor: descriptor.number, purpose: .clearText, arrivalSecondsMax: arrivalSecondsMax, on: loop, placement: self)
    }

    func door(forHost host: String?) -> EventLoop? { nil }
    func admits(_ peer: SocketAddress) -> Bool { true }
    func released() {}
    func open(_ connection: consuming NewConnection) {
        HTTPServerChannel.open(connection, on: loop, tls: nil, settings: settings, handler: handler, context: nil)
    }
}

/// Follows a script for every exchange of its connections.
final class ScriptedHandler: HTTPServerHandler {
    private let script: Script
    private let journal: Journal<ServerEvent>
    fileprivate var streams: [HTTPStream] = []
    fileprivate var connections: [HTTPConnection] = []

    init(_ script: Script, _ journal: Journal<ServerEvent>) {
        self.script = script
        self.journal = journal
    }

    func accept(_ head: HTTPRequestHead, isEnd: Bool, on stream: HTTPStream) -> any HTTPStreamReceiver {
        journal.add(.head(head.target, isEnd: isEnd))
        streams.append(stream)
        let receiver = ScriptedReceiver(head, script, journal) { [self] stream in streams.removeAll { $0 === stream } }
        script.onHead(head, stream)
        return receiver
    }

    func connectionOpened(_ connection: HTTPConnection) {
        connections.append(connection)
        journal.add(.opened)
    }
    func connectionFailed(_ context: AnyObject?, error: ChannelError?) {}
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        connections.removeAll { $0 === connection }
        journal.add(.connectionClosed(error))
    }
}

private final class ScriptedReceiver: HTTPStreamReceiver {
    private let head: HTTPRequestHead
    private let script: Script
    private let journal: Journal<ServerEvent>
    private let forget: (HTTPStream) -> Void

    init(
        _ head: HTTPRequestHead, _ script: Script, _ journal: Journal<ServerEvent>, forget: @escaping (HTTPStream) -> Void
    ) {
        self.head = head
        self.script = script
        self.journal = journal
        self.forget = forget
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        journal.add(.body(byteCount: bytes.count))
        script.onBody(bytes.count, stream)
    }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        journal.add(.end(trailers: trailers))
        script.onEnd(head, stream)
    }
    func streamSent(byteCount: Int, on stream: HTTPStream) { script.onSent(byteCount, stream) }
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        forget(stream)
        journal.add(.streamClosed(error))
    }
}

/// A loop, a server on it and raw connections to it.
func withServer(
    settings: HTTPServerSettings = .patient, arrivalSecondsMax: Int = 600, _ script: Script = Script(),
    _ body: (ScriptedServer) async throws -> Void
) async throws {
    let door = try EventLoop()
    defer { door.stop() }
    try await body(try await ScriptedServer.start(on: door, settings: settings, arrivalSecondsMax: arrivalSecondsMax, script))
}

extension ScriptedServer {
    func client() async throws -> RawPeer { try await RawPeer.connect(to: address, on: door) }
}

extension HTTPResponseHead {
    /// A head with fields as text.
    static func status(_ status: Int, _ fields: (String, String)...) -> HTTPResponseHead {
        var list = HTTPFields()
        for (name, value) in fields { list.append(name: name, value: value) }
        return HTTPResponseHead(status: status, fields: list)
    }
}
