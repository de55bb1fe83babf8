import HTTPTransport
import LinuxIO
import TestSupport
import TunnelDomain
import TunnelWire

/// One exchange of a client over HTTP/2, in the hands of a test.
final class Call: Sendable {
    enum Event: Sendable {
        case head(HTTPResponseHead)
        case body([UInt8])
        case trailers(HTTPFields)
        case end
        case reset(StreamReset)
        case closed(StreamError?)
    }

    let journal = Journal<Event>()
    private let door: EventLoop
    private let stream: LoopBound<HTTPStream?>

    fileprivate init(_ stream: HTTPStream?, _ journalist: Journalist, on loop: Loop) {
        door = loop.door
        self.stream = LoopBound(stream, on: loop)
        journalist.journal = journal
        if stream == nil { journal.add(.closed(.refusedByPeer)) }
    }

    // MARK: Acting

    func write(_ bytes: [UInt8]) { onLoop { $0.write(bytes) } }
    func write(_ text: String) { write(Array(text.utf8)) }
    func finish() { onLoop { $0.finish(trailers: nil) } }
    func finish(trailers: [(String, String)]) {
        var fields = HTTPFields()
        for (name, value) in trailers { fields.append(name: name, value: value) }
        onLoop { [fields] in $0.finish(trailers: fields) }
    }
    func reset(_ reason: StreamReset = .cancel) { onLoop { $0.reset(reason) } }
    func refuse() { onLoop { $0.reset(.refused) } }

    private func onLoop(_ action: @escaping @Sendable (HTTPStream) -> Void) {
        door.execute { [stream] loop in
            if let stream = stream.value(on: loop) { action(stream) }
        }
    }

    // MARK: Seeing

    /// Waits for the head of the final answer; nil when there is none.
    func head() async -> HTTPResponseHead? {
        await journal.wait { $0.head != nil || $0.isOver }.head
    }

    /// Waits for the whole answer, or for the end of the exchange.
    func answer() async -> Answer { Answer(await journal.wait { $0.isOver }) }

    /// Waits until the body so far ends like this.
    func body(endingWith text: String) async -> String {
        await journal.wait { $0.isOver || $0.text.hasSuffix(text) }.text
    }
}

/// A whole answer.
struct Answer: Sendable {
    var status: Int
    var fields: HTTPFields
    var text: String
    var trailers: HTTPFields?
    var error: StreamError?
    /// What the reset said that ended it.
    var reset: StreamReset?

    fileprivate init(_ events: [Call.Event]) {
        status = events.head?.status ?? 0
        fields = events.head?.fields ?? HTTPFields()
        text = events.text
        trailers = events.trailers
        error = events.closing
        reset = events.reset
    }

    subscript(_ name: String) -> String? { fields.first(named: name) }
    var reason: String? { self["inkbox-reason"] }
}

extension [Call.Event] {
    var head: HTTPResponseHead? {
        for case .head(let head) in self where head.status >= 200 { return head }
        return nil
    }
    var interimStatuses: [Int] { compactMap { if case .head(let head) = $0, head.status < 200 { head.status } else { nil } } }
    var text: String {
        String(decoding: flatMap { if case .body(let bytes) = $0 { bytes } else { [UInt8]() } }, as: UTF8.self)
    }
    var byteCount: Int { reduce(0) { if case .body(let bytes) = $1 { $0 + bytes.count } else { $0 } } }
    var trailers: HTTPFields? {
        for case .trailers(let fields) in self { return fields }
        return nil
    }
    var reset: StreamReset? {
        for case .reset(let reason) in self { return reason }
        return nil
    }
    var hasEnd: Bool { contains { if case .end = $0 { true } else { false } } }
    var isOver: Bool { contains { if case .closed = $0 { true } else { false } } }
    var closing: StreamError? {
        for case .closed(let error) in self { return error }
        return nil
    }
}

/// Writes one exchange down.
private final class Journalist: HTTPStreamReceiver {
    var journal: Journal<Call.Event>?
    let consumes: Bool

    init(consumes: Bool) { self.consumes = consumes }

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) { journal?.add(.head(head)) }
    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        journal?.add(.body(bytes.withUnsafeBufferPointer { Array($0) }))
        if consumes { stream.consume(bytes.count) }
    }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        if let trailers { journal?.add(.trailers(trailers)) }
        journal?.add(.end)
    }
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        if let reason = stream.peersReset { journal?.add(.reset(reason)) }
        journal?.add(.closed(error))
    }
}

/// A client with one connection that speaks HTTP/2, in clear text or over TLS.
final class EdgeClient: Sendable {
    enum Event: Sendable, Hashable {
        case ready
        case goingAway(errorCode: UInt32, debugData: String)
        case closed(ChannelError?)
    }

    let journal = Journal<Event>()
    let door: EventLoop
    private let end: LoopBound<ClientEnd>

    private init(door: EventLoop, end: LoopBound<ClientEnd>) {
        self.door = door
        self.end = end
    }

    static func connect(
        to address: SocketAddress, tls: TLSTrust? = nil, on door: EventLoop, headerListByteCountMax: Int? = nil
    ) async throws -> EdgeClient {
        let client = try await door.run { loop in
            let end = ClientEnd(headerListByteCountMax)
            end.channel = try Channel.connect(
                to: address, on: loop, tls: tls?.context, serverName: tls?.serverName, handler: end)
            let client = EdgeClient(door: loop.door, end: LoopBound(end, on: loop))
            end.journal = client.journal
            return client
        }
        await client.journal.wait { !$0.isEmpty }
        return client
    }

    /// Begins an exchange; with a nil body it is whole.
    func call(
        _ method: String, _ target: String, host: String, _ fields: [(String, String)] = [], body: [UInt8]? = nil,
        isWhole: Bool = true, consumes: Bool = true, upgradeProtocol: String? = nil
    ) async throws -> Call {
        var head = HTTPRequestHead(method: method, target: target, authority: host, upgradeProtocol: upgradeProtocol)
        for (name, value) in fields { head.fields.append(name: name, value: value) }
        return try await door.run { [end, head] loop in
            let journalist = Journalist(consumes: consumes)
            let isEnd = body == nil && isWhole
            let stream = end.value(on: loop).connection?.request(head, isEnd: isEnd, receiver: journalist)
            let call = Call(stream, journalist, on: loop)
            if let body { stream?.write(body) }
            if isWhole, !isEnd { stream?.finish(trailers: nil) }
            return call
        }
    }

    func abort() { door.execute { [end] loop in end.value(on: loop).channel?.abort(.aborted("the test wants it")) } }

    /// Waits for the server's goodbye; nil when the connection ended without one.
    func goodbye() async -> Event? {
        await journal.wait { $0.contains { if case .ready = $0 { false } else { true } } }.first {
            if case .goingAway = $0 { true } else { false }
        }
    }

    /// Waits for the end of the connection.
    func closing() async { await journal.wait { $0.contains { if case .closed = $0 { true } else { false } } } }
    var isClosed: Bool { journal.all.contains { if case .closed = $0 { true } else { false } } }
}

private final class ClientEnd: ChannelHandler, HTTP2ClientOwner {
    var channel: Channel?
    var connection: HTTP2Connection?
    var journal: Journal<EdgeClient.Event>?
    private var settings = HTTP2Settings()

    init(_ headerListByteCountMax: Int?) {
        settings.headerListByteCountMax = headerListByteCountMax ?? settings.headerListByteCountMax
        settings.headerFieldCountMax = 200
    }

    func channelOpened() {
        guard let channel else { return }
        _ = HTTP2Connection.client(channel, owner: self, settings: settings)
    }
    func channelReceived(_ bytes: Span<UInt8>) {}
    func channelReachedEnd() {}
    func channelDrained() {}
    func channelClosed(_ error: ChannelError?) { journal?.add(.closed(error)) }

    func connectionReady(_ connection: HTTP2Connection) {
        self.connection = connection
        journal?.add(.ready)
    }
    func connectionGoingAway(_ connection: HTTP2Connection, errorCode: UInt32, debugData: [UInt8]) {
        journal?.add(.goingAway(errorCode: errorCode, debugData: String(decoding: debugData, as: UTF8.self)))
    }
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        journal?.add(.closed(error))
        channel = nil
        self.connection = nil
    }
}
