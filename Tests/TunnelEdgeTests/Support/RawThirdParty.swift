import HTTPTransport
import LinuxIO
import TestSupport
import TunnelDomain

/// A third party that sends bytes as a test wants them.
final class RawThirdParty: Sendable {
    enum Event: Sendable {
        case opened
        case bytes([UInt8])
        case end
        case closed
    }

    private let journal = Journal<Event>()
    private let door: EventLoop
    private let end: LoopBound<RawEnd>

    private init(door: EventLoop, end: LoopBound<RawEnd>) {
        self.door = door
        self.end = end
    }

    static func connect(to address: SocketAddress, on door: EventLoop) async throws -> RawThirdParty {
        let party = try await door.run { loop in
            let end = RawEnd()
            end.channel = try Channel.connect(to: address, on: loop, tls: nil, serverName: nil, handler: end)
            let party = RawThirdParty(door: loop.door, end: LoopBound(end, on: loop))
            end.journal = party.journal
            return party
        }
        await party.journal.wait { !$0.isEmpty }
        return party
    }

    func send(_ bytes: [UInt8]) { door.execute { [end] loop in end.value(on: loop).channel?.write(bytes) } }
    func send(_ text: String) { send(Array(text.utf8)) }
    func close() { door.execute { [end] loop in end.value(on: loop).channel?.close() } }

    /// Waits until the text has come, or the connection has ended; returns all that came.
    func text(holding part: String) async -> String {
        await journal.wait { $0.isClosed || $0.text.firstRange(of: part) != nil }.text
    }

    func textUntilClosed() async -> String { await journal.wait { $0.isClosed }.text }
}

extension [RawThirdParty.Event] {
    fileprivate var text: String {
        String(decoding: flatMap { if case .bytes(let bytes) = $0 { bytes } else { [UInt8]() } }, as: UTF8.self)
    }
    fileprivate var isClosed: Bool { contains { if case .closed = $0 { true } else { false } } }
}

private final class RawEnd: ChannelHandler {
    var channel: Channel?
    var journal: Journal<RawThirdParty.Event>?

    func channelOpened() { journal?.add(.opened) }
    func channelReceived(_ bytes: Span<UInt8>) { journal?.add(.bytes(bytes.withUnsafeBufferPointer { Array($0) })) }
    func channelReachedEnd() {
        journal?.add(.end)
        channel?.close()
    }
    func channelDrained() {}
    func channelClosed(_ error: ChannelError?) {
        journal?.add(.closed)
        channel = nil
    }
}
