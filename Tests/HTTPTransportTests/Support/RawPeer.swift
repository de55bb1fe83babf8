import HTTPTransport
import LinuxIO
import TestSupport
import TunnelDomain

/// One end of a TCP connection that sends and receives bytes and knows no protocol.
final class RawPeer: Sendable {
    enum Event: Sendable {
        case opened
        case bytes([UInt8])
        /// The other side sends no more.
        case end
        /// Both sides are done, or the connection broke.
        case closed(ChannelError?)
    }

    let journal = Journal<Event>()
    private let door: EventLoop
    private let end: LoopBound<RawEnd>

    private init(door: EventLoop, end: LoopBound<RawEnd>) {
        self.door = door
        self.end = end
    }

    /// Connects, and returns when the connection stands.
    static func connect(to address: SocketAddress, on door: EventLoop) async throws -> RawPeer {
        let peer = try await door.run { loop in
            let end = RawEnd()
            end.channel = try Channel.connect(to: address, on: loop, tls: nil, serverName: nil, handler: end)
            let peer = RawPeer(door: loop.door, end: LoopBound(end, on: loop))
            end.journal = peer.journal
            return peer
        }
        await peer.journal.wait { !$0.isEmpty }
        return peer
    }

    /// Takes over the next connection that the listener accepts.
    static func accept(on listener: RawListener) async throws -> RawPeer { try await listener.next() }

    fileprivate static func taken(_ descriptor: consuming FileDescriptor, from: SocketAddress, on loop: Loop) throws -> RawPeer
    {
        let end = RawEnd()
        let peer = RawPeer(door: loop.door, end: LoopBound(end, on: loop))
        end.journal = peer.journal
        end.channel = try Channel.accepted(descriptor, from: from, on: loop, tls: nil, handler: end)
        return peer
    }

    // MARK: Acting

    func send(_ bytes: [UInt8]) { onLoop { $0.channel?.write(bytes) } }
    func send(_ text: String) { send(Array(text.utf8)) }
    func finishSending() { onLoop { $0.channel?.shutdownWrite() } }
    func close() { onLoop { $0.channel?.close() } }
    func reset() { onLoop { $0.channel?.abort(.aborted("the test wants it")) } }
    func stopReading() { onLoop { $0.channel?.pauseReading() } }
    func goOnReading() { onLoop { $0.channel?.resumeReading() } }

    /// Lets the loop handle what is there: a few turns.
    func settle() async throws { for _ in 0..<4 { try await door.run { _ in } } }

    private func onLoop(_ action: @escaping @Sendable (RawEnd) -> Void) {
        door.execute { [end] loop in action(end.value(on: loop)) }
    }

    // MARK: Seeing

    var bytes: [UInt8] { journal.all.bytes }
    var text: String { journal.all.text }

    /// Waits for as many bytes, or for the end of the connection.
    func bytes(count: Int) async -> [UInt8] {
        await journal.wait { $0.isClosed || $0.byteCount >= count }.bytes
    }

    /// Waits until what has come ends like this, or the connection does.
    func text(endingWith ending: String) async -> String {
        await journal.wait { $0.isClosed || $0.text.hasSuffix(ending) }.text
    }

    /// Waits for the end of the connection and returns all that has come.
    func textUntilClosed() async -> String { await journal.wait { $0.isClosed }.text }
    func bytesUntilClosed() async -> [UInt8] { await journal.wait { $0.isClosed }.bytes }
}

extension [RawPeer.Event] {
    var bytes: [UInt8] { flatMap { if case .bytes(let bytes) = $0 { bytes } else { [UInt8]() } } }
    var byteCount: Int { reduce(0) { if case .bytes(let bytes) = $1 { $0 + bytes.count } else { $0 } } }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    var hasEnded: Bool { contains { if case .end = $0 { true } else { false } } }
    var isClosed: Bool { contains { if case .closed = $0 { true } else { false } } }
    /// The other side ended in order, rather than by a reset.
    var wasClosedInOrder: Bool { hasEnded }
}

private final class RawEnd: ChannelHandler {
    var channel: Channel?
    var journal: Journal<RawPeer.Event>?

    func channelOpened() { journal?.add(.opened) }
    func channelReceived(_ bytes: Span<UInt8>) { journal?.add(.bytes(bytes.withUnsafeBufferPointer { Array($0) })) }
    func channelReachedEnd() {
        journal?.add(.end)
        channel?.close()
    }
    func channelDrained() {}
    func channelClosed(_ error: ChannelError?) {
        journal?.add(.closed(error))
        channel = nil
    }
}

/// A listening socket whose connections are raw.
final class RawListener: Sendable {
    let address: SocketAddress
    private let peers = Journal<RawPeer>()

    private init(_ address: SocketAddress) { self.address = address }

    static func start(on door: EventLoop) async throws -> RawListener {
        let descriptor = try Socket.listen(on: .loopback(port: 0))
        let listener = RawListener(try Socket.localAddress(descriptor.number))
        let number = descriptor.release()
        try await door.run { loop in
            let acceptor = Acceptor(FileDescriptor(number: number), listener.peers, loop)
            _ = try loop.register(number, handler: acceptor)
        }
        return listener
    }

    fileprivate func next() async throws -> RawPeer {
        guard let peer = await peers.wait(until: { !$0.isEmpty }).first else { throw CancellationError() }
        return peer
    }

    private final class Acceptor: IOHandler {
        private let descriptor: FileDescriptor
        private let peers: Journal<RawPeer>
        private let loop: Loop

        init(_ descriptor: consuming FileDescriptor, _ peers: Journal<RawPeer>, _ loop: Loop) {
            self.descriptor = descriptor
            self.peers = peers
            self.loop = loop
        }

        func ioReady(_ readiness: IOReadiness) {
            while true {
                switch Socket.accept(descriptor.number) {
                case .accepted(let descriptor, let from):
                    if let peer = try? RawPeer.taken(descriptor, from: from, on: loop) { peers.add(peer) }
                case .none: return
                case .vanished: return
                case .exhausted: return
                }
            }
        }
    }
}
