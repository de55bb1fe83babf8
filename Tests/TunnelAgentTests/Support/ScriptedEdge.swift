internal import Foundation
internal import HTTPTransport
internal import LinuxIO
import TestSupport
internal import Synchronization
internal import TLS
internal import TunnelAgent
internal import TunnelDomain
internal import TunnelWire

/// A server of the data plane that does what a test tells it, over real TLS and HTTP/2.
final class ScriptedEdge: Sendable {
    /// What the agent did, in order.
    enum Event: Sendable, Equatable {
        case hello(fields: [String: String])
        case parked
        case left
        case reply(id: String, status: String, fields: [String], contentLength: String?)
        case replyBody(id: String, byteCount: Int)
        case replyTrailers(id: String, [String])
        case replyEnded(id: String)
        case replyReset(id: String)
        case intakeReset
        case bound(webSocketID: String, protocol: String?)
        case bridge(BridgeReader.Event)
        case bridgeEnded
        case bridgeClosed(StreamError?)
        case connectionOpened
        case connectionClosed
    }

    /// How hello is answered.
    struct Hello: Sendable {
        var status = 200
        var body =
            #"{"owner_token":"tok","default_pool_size":2,"intake_idle_seconds":60,"response_deadline_seconds":60,"#
            + #""features":["cancel","replies-on-intake","trailers"]}"#

        /// What a server answers that knows nothing beyond the base protocol.
        /// What a server answers whose agents say when they leave, and share the tunnel.
        static func sharing(_ count: Int) -> Hello {
            Hello(
                body: #"{"owner_token":"tok","default_pool_size":2,"serving_agents":\#(count),"#
                    + #""features":["cancel","leave","replies-on-intake","shared"]}"#)
        }

        static let plain = Hello(body: #"{"owner_token":"tok","default_pool_size":2}"#)
    }

    let door: EventLoop
    let port: UInt16
    private let authorityPEM: UnnamedFile
    var authorityFile: String { authorityPEM.path }
    let events: AsyncStream<Event>
    private let outbox: AsyncStream<Event>.Continuation
    private let hello = HelloScript()

    init() async throws {
        door = try EventLoop()
        (events, outbox) = AsyncStream.makeStream()
        let now = Timestamp(secondsSinceEpoch: Int64(Date().timeIntervalSince1970))
        let authority = try CertificateAuthority.make(zone: "tunnels.test", at: now)
        let issued = try authority.issueServerCertificate(hosts: ["tunnels.test"], at: now)
        let identity = try TLSIdentity(chainPEM: issued.certificatePEM, keyPEM: issued.keyPEM ?? "")
        let context = try TLSContext.server(applicationProtocols: ["h2"]) { _ in identity }
        authorityPEM = try UnnamedFile(authority.certificatePEM)
        let descriptor = try Socket.listen(on: .loopback(port: 0))
        port = try Socket.localAddress(descriptor.number).port
        let number = descriptor.release()
        let outbox = outbox
        let hello = hello
        try await door.run { loop in
            let edge = EdgeOnLoop(loop: loop, tls: context, outbox: outbox, hello: hello)
            loop.resident = edge
            edge.listener = try HTTPListener(
                descriptor: number, purpose: .tls, arrivalSecondsMax: 10, on: loop, placement: edge)
        }
    }

    deinit {
        door.stop()
    }

    func answerHello(status: Int, body: String = "{}") { answerHello(Hello(status: status, body: body)) }
    func answerHello(_ answer: Hello) { hello.answer.withLock { $0 = answer } }

    /// A configuration for an agent of this edge.
    func configuration() -> AgentConfiguration {
        AgentConfiguration(
            zone: "tunnels.test", edge: EdgeAddress(host: "127.0.0.1", port: Int(port)), tunnelID: "0b0e7b3e",
            publicHost: "my-agent.tunnels.test", credential: .connectSecret("tnl_secret"),
            trust: .authorities(file: authorityFile))
    }

    // MARK: What a test tells it

    /// Gives a request to the next parked intake, now or when one comes.
    func send(
        _ id: String, _ method: String, _ path: String, fields: [(String, String)] = [], body: [UInt8] = [], isEnd: Bool = true
    ) {
        give(id, Self.envelope(id, method, path, fields), body, isEnd: isEnd)
    }

    private static func envelope(
        _ id: String, _ method: String, _ path: String, _ fields: [(String, String)] = []
    ) -> HTTPResponseHead {
        var envelope = HTTPFields()
        envelope.append("inkbox-request-id", id)
        envelope.append("inkbox-method", method)
        envelope.append("inkbox-path", path)
        envelope.append("inkbox-route-kind", "webhook")
        envelope.append("inkbox-forwarded-for", "192.0.2.7")
        for (name, value) in fields { envelope.append(name: "inkbox-h-" + name, value: value) }
        return HTTPResponseHead(status: 200, fields: envelope)
    }

    /// From now on an agent that leaves gets this request first, as when the two pass each other on the way.
    func sendWhenLeft(_ id: String, _ method: String, _ path: String, body: [UInt8] = []) {
        tell { $0.whenLeft = (id, Self.envelope(id, method, path), body) }
    }

    /// An agent that leaves is answered so; 200 releases its intakes.
    func answerLeave(status: Int?) { tell { $0.leaveStatus = status } }

    /// Gives a request for a WebSocket to the next parked intake.
    func sendUpgrade(_ id: String, webSocketID: String, path: String = "/chat", fields: [(String, String)] = []) {
        var envelope = HTTPFields()
        let own = [
            ("inkbox-request-id", id), ("inkbox-method", "GET"), ("inkbox-path", path), ("inkbox-route-kind", "ws-upgrade"),
            ("inkbox-ws-id", webSocketID), ("inkbox-forwarded-for", "192.0.2.7"),
        ]
        for (name, value) in own + fields.map({ ("inkbox-h-" + $0.0, $0.1) }) { envelope.append(name: name, value: value) }
        give(id, HTTPResponseHead(status: 200, fields: envelope))
    }

    /// How binds are answered from now on.
    func answerBinds(status: Int) { tell { $0.bindStatus = status } }
    /// Sends a message over the last bridge, in one frame.
    func say(_ message: BridgeMessage) { tell { $0.say(message) } }
    func sayNonsense() { tell { $0.bridge?.write([0x82, 0x05, 0, 0, 0, 1, 0x7B]) } }
    func endBridge() { tell { $0.bridge?.finish(trailers: nil) } }
    func resetBridge() { tell { $0.bridge?.reset(.cancel) } }

    /// Answers the next parked intake with a head of the test's choice.
    func give(_ id: String, _ head: HTTPResponseHead, _ body: [UInt8] = [], isEnd: Bool = true) {
        tell { $0.give(id, head, body, isEnd: isEnd) }
    }

    /// Ends a request's body with trailers.
    func finish(_ id: String, trailers: [(String, String)]) {
        var fields = HTTPFields()
        for (name, value) in trailers { fields.append(name: name, value: value) }
        tell { [fields] in $0.intakes[id]?.finish(trailers: fields) }
    }
    func sendMore(_ id: String, _ body: [UInt8], isEnd: Bool) { tell { $0.sendMore(id, body, isEnd: isEnd) } }
    func resetIntake(_ id: String) { tell { $0.intakes[id]?.reset(.cancel) } }
    /// Ends a reply stream as when the third party has gone.
    func resetReply(_ id: String) { tell { $0.replies[id]?.reset(.cancel) } }
    func goAway(_ code: UInt32, _ debug: String) { tell { $0.goAway(code, debug) } }
    func dropConnections() { tell { $0.dropConnections() } }
    /// From now on reply bodies are taken, or left in their windows.
    func takeReplies(_ isTaking: Bool) { tell { $0.takeReplies(isTaking) } }

    private func tell(_ work: @escaping @Sendable (EdgeOnLoop) -> Void) {
        door.execute { loop in
            if let edge = loop.resident as? EdgeOnLoop { work(edge) }
        }
    }
}

/// What hello is answered with, shared by the test and the loop.
private final class HelloScript: Sendable {
    let answer = Mutex(ScriptedEdge.Hello())
}

/// The part of the scripted edge that lives on the loop.
private final class EdgeOnLoop: HTTPServerHandler, ConnectionPlacement {
    private let loop: Loop
    private let tls: TLSContext
    let outbox: AsyncStream<ScriptedEdge.Event>.Continuation
    private let hello: HelloScript
    var listener: HTTPListener?
    private var connections: [HTTPConnection] = []
    private var parked: [HTTPStream] = []
    private var waiting: [(id: String, head: HTTPResponseHead, body: [UInt8], isEnd: Bool)] = []
    var intakes: [String: HTTPStream] = [:]
    var replies: [String: HTTPStream] = [:]
    private(set) var isTaking = true
    var bindStatus = 200
    var leaveStatus: Int? = 200
    var whenLeft: (id: String, head: HTTPResponseHead, body: [UInt8])?
    var bridge: HTTPStream?
    private var untaken: [ObjectIdentifier: (stream: HTTPStream, byteCount: Int)] = [:]

    init(
        loop: Loop, tls: TLSContext, outbox: AsyncStream<ScriptedEdge.Event>.Continuation,
        hello: HelloScript
    ) {
        self.loop = loop
        self.tls = tls
        self.outbox = outbox
        self.hello = hello
    }

    func door(forHost host: String?) -> EventLoop? { nil }
    func released() {}
    func admits(_ peer: SocketAddress) -> Bool { true }
    func open(_ connection: consuming NewConnection) {
        var settings = HTTPServerSettings.patient
        settings.http2.concurrentStreamsMax = 512
        settings.http2.offersExtendedConnect = true
        HTTPServerChannel.open(connection, on: loop, tls: tls, settings: settings, handler: self, context: nil)
    }

    func connectionOpened(_ connection: HTTPConnection) {
        connections.append(connection)
        outbox.yield(.connectionOpened)
    }
    func connectionFailed(_ context: AnyObject?, error: ChannelError?) {}
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        connections.removeAll { $0 === connection }
        parked.removeAll { $0.connection === connection }
        outbox.yield(.connectionClosed)
    }

    func accept(_ head: HTTPRequestHead, isEnd: Bool, on stream: HTTPStream) -> any HTTPStreamReceiver {
        if head.method == "CONNECT" { return bind(head, stream) }
        switch head.target {
        case "/_system/hello":
            outbox.yield(.hello(fields: Dictionary(head.fields.pairs.map { ($0.name, $0.value) }) { first, _ in first }))
            let answer = hello.answer.withLock { $0 }
            stream.respond(HTTPResponseHead(status: answer.status), body: Array(answer.body.utf8))
            return Ear(edge: self, kind: .other)
        case "/_system/intake":
            // An intake that stays open is one that the agent may reply on.
            let ear = Ear(edge: self, kind: isEnd ? .intake : .openIntake)
            parked.append(stream)
            stream.receiver = ear
            outbox.yield(.parked)
            deliver()
            return ear
        case "/_system/leave":
            outbox.yield(.left)
            if let next = whenLeft { give(next.id, next.head, next.body, isEnd: true) }
            letGo(stream)
            return Ear(edge: self, kind: .other)
        default:
            let id = String(head.target.dropFirst("/_system/response/".count))
            replies[id] = stream
            outbox.yield(
                .reply(
                    id: id, status: head.fields.first(.inkboxStatus) ?? "",
                    fields: head.fields.pairs.filter { $0.name.hasPrefix("inkbox-h-") }.map {
                        "\($0.name.dropFirst(9)): \($0.value)"
                    },
                    contentLength: head.fields.first(.contentLength)))
            return Ear(edge: self, kind: .reply(id: id))
        }
    }

    private func letGo(_ stream: HTTPStream) {
        guard let leaveStatus else { return }
        stream.respond(HTTPResponseHead(status: leaveStatus), isEnd: true)
        guard leaveStatus == 200 else { return }
        let released = parked
        parked = []
        for intake in released { intake.respond(HTTPResponseHead(status: 204), isEnd: true) }
    }

    private func bind(_ head: HTTPRequestHead, _ stream: HTTPStream) -> any HTTPStreamReceiver {
        outbox.yield(
            .bound(webSocketID: String(head.target.dropFirst("/_system/ws/".count)), protocol: head.upgradeProtocol))
        bridge = stream
        stream.respond(HTTPResponseHead(status: bindStatus), isEnd: bindStatus != 200)
        return BridgeEar(edge: self)
    }

    func say(_ message: BridgeMessage) {
        var bytes: [UInt8] = []
        let envelope = message.envelope
        bytes.append(WebSocketFrameHeader(opcode: .binary, payloadByteCount: envelope.count), payload: envelope.span)
        bridge?.write(bytes)
    }

    func give(_ id: String, _ head: HTTPResponseHead, _ body: [UInt8], isEnd: Bool) {
        waiting.append((id, head, body, isEnd))
        deliver()
    }

    private func deliver() {
        while !waiting.isEmpty, !parked.isEmpty {
            let (next, stream) = (waiting.removeFirst(), parked.removeFirst())
            intakes[next.id] = stream
            if let ear = stream.receiver as? Ear { ear.carry(next.id, next.head, on: stream) }
            stream.respond(next.head, isEnd: next.isEnd && next.body.isEmpty)
            stream.write(next.body)
            if next.isEnd, !next.body.isEmpty { stream.finish(trailers: nil) }
        }
    }

    func sendMore(_ id: String, _ body: [UInt8], isEnd: Bool) {
        intakes[id]?.write(body)
        if isEnd { intakes[id]?.finish(trailers: nil) }
    }

    func goAway(_ code: UInt32, _ debug: String) {
        for case let connection as HTTP2Connection in connections {
            connection.goAway(errorCode: code, debugData: Array(debug.utf8))
        }
        // What is parked on a connection that ends gets no more work.
        for stream in parked { stream.respond(HTTPResponseHead(status: 204), isEnd: true) }
        parked = []
    }

    func dropConnections() { for connection in connections { connection.close(.aborted("the test drops it")) } }

    func took(_ byteCount: Int, of stream: HTTPStream) {
        guard !isTaking else { return stream.consume(byteCount) }
        untaken[ObjectIdentifier(stream), default: (stream, 0)].byteCount += byteCount
    }

    func takeReplies(_ isTaking: Bool) {
        self.isTaking = isTaking
        guard isTaking else { return }
        let kept = untaken.values
        untaken = [:]
        for entry in kept { entry.stream.consume(entry.byteCount) }
    }

    func forget(_ stream: HTTPStream) {
        parked.removeAll { $0 === stream }
        untaken[ObjectIdentifier(stream)] = nil
    }
}

/// Hears a bridge of the agent.
private final class BridgeEar: HTTPStreamReceiver {
    private unowned let edge: EdgeOnLoop
    private var reader = BridgeReader(role: .server, messageByteCountMax: 1024 * 1024)

    init(edge: EdgeOnLoop) { self.edge = edge }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        var offset = 0
        while let event = try? reader.next(in: bytes, &offset) { edge.outbox.yield(.bridge(event)) }
        edge.took(bytes.count, of: stream)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) { edge.outbox.yield(.bridgeEnded) }
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        edge.forget(stream)
        edge.outbox.yield(.bridgeClosed(error))
    }
}

/// Hears one stream of the agent.
private final class Ear: HTTPStreamReceiver {
    enum Kind { case intake, openIntake, replyHead(id: String, BinaryReplyReader), reply(id: String), other }
    private unowned let edge: EdgeOnLoop
    private var kind: Kind
    private var isEnded = false

    init(edge: EdgeOnLoop, kind: Kind) {
        self.edge = edge
        self.kind = kind
    }

    /// The intake gets a request; a reply may come back on it.
    func carry(_ id: String, _ head: HTTPResponseHead, on stream: HTTPStream) {
        guard case .openIntake = kind, head.fields.first(.inkboxRouteKind) == "webhook", let stream = stream as? HTTP2Stream
        else { return }
        stream.awaitsPeersEnd = true
        edge.replies[id] = stream
        kind = .replyHead(id: id, BinaryReplyReader(isHeadRequest: head.fields.first(.inkboxMethod) == "HEAD"))
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        switch kind {
        case .replyHead(let id, var reader):
            kind = .other
            guard let step = try? reader.read(bytes), case .head(let envelope, let bodyOffset) = step else { return }
            kind = .reply(id: id)
            stream.consume(bodyOffset)
            edge.outbox.yield(
                .reply(
                    id: id, status: "\(envelope.status)",
                    fields: envelope.fields.pairs.map { "\($0.name): \($0.value)" }
                        + (envelope.announcedLength.map { ["content-length: \($0)"] } ?? []),
                    contentLength: envelope.contentLength.map { "\($0)" }))
            let body = bytes.extracting(bodyOffset..<bytes.count)
            if !body.isEmpty { streamReceived(body, on: stream) }
            return
        case .reply(let id): edge.outbox.yield(.replyBody(id: id, byteCount: bytes.count))
        case .intake, .openIntake, .other: break
        }
        edge.took(bytes.count, of: stream)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        guard case .reply(let id) = kind else { return }
        isEnded = true
        if let trailers {
            edge.outbox.yield(.replyTrailers(id: id, trailers.pairs.map { "\($0.name): \($0.value)" }))
        }
        edge.outbox.yield(.replyEnded(id: id))
        // Of no effect on an intake, which has its answer.
        stream.respond(HTTPResponseHead(status: 200), isEnd: true)
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {}

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        edge.forget(stream)
        switch kind {
        case .intake, .openIntake: if error != nil { edge.outbox.yield(.intakeReset) }
        case .replyHead(let id, _), .reply(let id): if !isEnded { edge.outbox.yield(.replyReset(id: id)) }
        case .other: break
        }
    }
}
