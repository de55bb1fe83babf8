internal import Synchronization
internal import TunnelWire

/// One open `subscriptions/listen` request.
final class MCPStream: Sendable {
    let id: JSONRPCID
    let uris: Set<String>
    let wantsList: Bool
    private let isOpen = Mutex(false)
    private let life: AsyncStream<Never>
    private let lifeline: AsyncStream<Never>.Continuation

    init(id: JSONRPCID, uris: Set<String>, wantsList: Bool) {
        self.id = id
        self.uris = uris
        self.wantsList = wantsList
        (life, lifeline) = AsyncStream.makeStream(of: Never.self)
    }

    var meta: JSON { .members(["io.modelcontextprotocol/subscriptionId": id.json]) }

    /// Tells the client that the stream is open; what changes from then on is told, and nothing before.
    func open(_ acknowledge: () -> Void) {
        isOpen.withLock { isOpen in
            acknowledge()
            isOpen = true
        }
    }

    /// Tells something on the stream, unless it is not open yet.
    func tell(_ message: () -> Void) {
        isOpen.withLock { if $0 { message() } }
    }

    func end() { lifeline.finish() }

    /// Returns when the stream was ended, or its task cancelled.
    func ended() async { for await _ in life {} }
}
