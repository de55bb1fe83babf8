import Foundation
import Glibc
import HTTPTransport
import LinuxIO
import TunnelDomain
import TunnelWire

/// Listens on local ports.
final class HookServer: Sendable {
    /// Connections at once; more are closed.
    static let connectionsMax = 4_096

    /// The same where the process may have so many descriptors: half of them stay with the inbox and the programs of runs, out
    /// of the reach of strangers.
    static func connectionsMax(ofDescriptors count: Int) -> Int { min(connectionsMax, count / 2) }

    /// What `ulimit -n` says.
    private static var descriptorCountMax: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        return Int(clamping: limit.rlim_cur)
    }

    private let loop: EventLoop
    private let sockets: [(descriptor: Int32, address: SocketAddress)]

    init(addresses: [SocketAddress]) throws {
        loop = try EventLoop()
        sockets = try addresses.map { address in
            do throws(IOError) {
                let descriptor = try Socket.listen(on: address)
                let bound = try Socket.localAddress(descriptor.number)
                return (descriptor.release(), bound)
            } catch {
                throw Complaint("cannot listen on \(address): \(error)", advice: Self.advice(on: error))
            }
        }
    }

    private static func advice(on error: IOError) -> String {
        switch error.code {
        case EADDRINUSE: "Another program uses this port; choose another one in “listen”."
        case EADDRNOTAVAIL:
            "This machine has no such address; 127.0.0.1 takes what comes from this machine, 0.0.0.0 everything."
        case EACCES: "Ports below 1024 are for root; choose a higher one in “listen”, or let systemd give the right."
        default: ""
        }
    }

    var addresses: [SocketAddress] { sockets.map(\.address) }

    func serve(_ reception: Reception) async throws {
        let sockets = sockets
        try await loop.run { loop in
            let most = Self.connectionsMax(ofDescriptors: Self.descriptorCountMax)
            let front = HookFront(loop: loop, reception: reception, connectionsMax: most)
            loop.resident = front
            for socket in sockets { try front.listen(on: socket.descriptor) }
        }
    }

    /// Takes no more connections, and lets the answers under way go out.
    func stop(within limit: Duration) async {
        let end = ContinuousClock.now + limit
        try? await loop.run { loop in (loop.resident as? HookFront)?.drain() }
        for socket in sockets { _ = FileDescriptor(number: socket.descriptor) }
        while ContinuousClock.now < end {
            let count = (try? await loop.run { loop in (loop.resident as? HookFront)?.connectionCount ?? 0 }) ?? 0
            if count == 0 { return }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// The local front on its loop: takes requests, and hands whole ones to the reception.
final class HookFront: ConnectionPlacement, HTTPServerHandler {
    /// Seconds until a connection has shown what it speaks.
    private static let arrivalSecondsMax = 10

    let loop: Loop
    private let reception: Reception
    private let connectionsMax: Int
    private var listeners: [HTTPListener] = []
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var admittedCount = 0

    init(loop: Loop, reception: Reception, connectionsMax: Int) {
        self.loop = loop
        self.reception = reception
        self.connectionsMax = connectionsMax
    }

    var connectionCount: Int { admittedCount }

    func listen(on descriptor: Int32) throws {
        listeners.append(
            try HTTPListener(
                descriptor: descriptor, purpose: .clearText, arrivalSecondsMax: Self.arrivalSecondsMax, on: loop,
                placement: self))
    }

    func drain() {
        for listener in listeners { listener.close() }
        for connection in connections.values { connection.drain() }
    }

    // MARK: ConnectionPlacement

    func door(forHost host: String?) -> EventLoop? { nil }

    func admits(_ peer: SocketAddress) -> Bool {
        guard admittedCount < connectionsMax else { return false }
        admittedCount += 1
        return true
    }

    func released() { admittedCount -= 1 }

    func open(_ connection: consuming NewConnection) {
        let context = PeerAddress(text: "\(connection.peer.ip)")
        HTTPServerChannel.open(
            connection, on: loop, tls: nil, settings: HTTPServerSettings(), handler: self, context: context)
    }

    // MARK: HTTPServerHandler

    func accept(_ head: HTTPRequestHead, isEnd: Bool, on stream: HTTPStream) -> any HTTPStreamReceiver {
        let address = (stream.connection.context as? PeerAddress)?.text ?? ""
        let call = HookCall(head: head, address: address, front: self, reception: reception)
        if let reply = refusal(of: head) {
            // Before a stranger has sent a body.
            call.respond(reply, on: stream)
        } else if !isEnd, head.fields.contains(.expect) {
            stream.sendInterim(HTTPResponseHead(status: 100))
        }
        return call
    }

    /// The answer to what is refused whatever its body is; nil when the body matters.
    private func refusal(of head: HTTPRequestHead) -> HookReply? {
        if head.method == "GET", head.target == reception.metricsPath { return nil }
        if case .none(let reply) = reception.match(method: head.method, target: head.target) { return reply }
        let length = head.fields.first(.contentLength).flatMap { Int($0) } ?? 0
        return length > reception.bodyLimits.each ? reception.tooLong : nil
    }

    func connectionOpened(_ connection: HTTPConnection) { connections[ObjectIdentifier(connection)] = connection }
    func connectionFailed(_ context: AnyObject?, error: ChannelError?) { released() }

    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        connections[ObjectIdentifier(connection)] = nil
        released()
    }
}

private final class PeerAddress {
    let text: String
    init(text: String) { self.text = text }
}

/// One request: its body is gathered here, the answer is made elsewhere.
private final class HookCall: HTTPStreamReceiver {
    private let head: HTTPRequestHead
    private let address: String
    private let front: HookFront
    private let reception: Reception
    private let byteCountMax: Int
    private let share: BodyShare
    private var body: [UInt8] = []
    private var isOver = false

    init(head: HTTPRequestHead, address: String, front: HookFront, reception: Reception) {
        self.head = head
        self.address = address
        self.front = front
        self.reception = reception
        let limits = reception.bodyLimits
        byteCountMax = limits.each
        share = BodyShare(of: reception.bodyRoom, byteCountMax: limits.together)
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        stream.consume(bytes.count)
        guard !isOver else { return }
        guard body.count + bytes.count <= byteCountMax else {
            body = []
            return respond(reception.tooLong, on: stream)
        }
        guard share.take(bytes.count) else {
            body = []
            return respond(reception.tooMuchAtOnce, on: stream)
        }
        bytes.withUnsafeBufferPointer { body.append(contentsOf: $0) }
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        guard !isOver else { return }
        isOver = true
        let hook = IncomingHook(
            method: head.method, target: head.target, origin: "\(head.scheme)://\(head.authority)",
            fields: head.fields.pairs.map { WebhookField($0.name, $0.value) }, body: body, address: address)
        Self.answer(hook, share, on: LoopBound(stream, on: front.loop), front.loop.door, reception)
    }

    private static func answer(
        _ hook: IncomingHook, _ share: BodyShare, on stream: LoopBound<HTTPStream>, _ door: EventLoop, _ reception: Reception
    ) {
        Task {
            let reply = await Self.reply(to: hook, reception)
            // The body is in memory until here, also when the sender is gone.
            withExtendedLifetime(share) {}
            door.execute { loop in Self.send(reply, on: stream.value(on: loop)) }
        }
    }

    private static func reply(to hook: IncomingHook, _ reception: Reception) async -> HookReply {
        guard hook.method == "GET", hook.target == reception.metricsPath else { return await reception.receive(hook) }
        return HookReply(
            status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8",
            body: Array(await reception.metricsText().utf8))
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) { isOver = true }

    func respond(_ reply: HookReply, on stream: HTTPStream) {
        isOver = true
        Self.send(reply, on: stream)
    }

    private static func send(_ reply: HookReply, on stream: HTTPStream) {
        var head = HTTPResponseHead(status: reply.status)
        if !reply.body.isEmpty { head.fields.append("content-type", reply.contentType) }
        head.fields.append("cache-control", "no-store")
        for field in reply.fields { head.fields.append(name: field.name, value: field.value) }
        if reply.status != 204 { head.fields.append("content-length", String(reply.body.count)) }
        stream.respond(head, body: reply.status == 204 ? [] : reply.body)
    }
}
