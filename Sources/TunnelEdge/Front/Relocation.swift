internal import HTTPTransport
internal import LinuxIO
internal import TunnelWire

// Connections whose host could not be seen before their first request: HTTP/2 in clear text, TLS without a server name.
extension EdgeFront {
    /// Takes the connection to the loop of its request's tunnel, if this request is all that is under way on it.
    func relocate(
        to door: EventLoop, _ head: HTTPRequestHead, isEnd: Bool, _ edge: EdgeConnection, _ stream: HTTPStream
    ) -> any HTTPStreamReceiver {
        let connection = stream.connection
        let isAlone = (connection as? HTTP2Connection).map { $0.openStreamCount == 1 } ?? true
        guard isAlone, edge.role == .undecided || !connection.isHTTP2 else { return refuse(.misdirected, head, stream) }
        edge.isMoving = true
        letGo(of: edge.site)
        edge.site = nil
        let relocation = Relocation()
        edge.relocation = relocation
        connection.move(to: door) { loop in
            guard let front = EdgeFront.resident(of: loop) else {
                preconditionFailure("every door of the directory has a front")
            }
            edge.isMoving = false
            edge.relocation = nil
            front.adopt(connection)
            relocation.finish(at: front)
            return front
        } leave: { [self] in
            letGo(connection)
        }
        return relocation.take(head, isEnd: isEnd, on: stream)
    }
}

/// The requests of a connection that is on its way to another loop: the one that it moves for, and those that came with it.
final class Relocation {
    private var requests: [RelocatedRequest] = []

    func take(_ head: HTTPRequestHead, isEnd: Bool, on stream: HTTPStream) -> any HTTPStreamReceiver {
        let request = RelocatedRequest(head: head, isEnd: isEnd, stream: stream)
        requests.append(request)
        return request
    }

    /// Lets the front of the new loop have the requests as if they came now.
    fileprivate func finish(at front: EdgeFront) {
        let arrived = requests
        requests = []
        for request in arrived { request.finish(at: front) }
    }
}

/// Keeps what comes of a request while its connection is on its way; bounded by the client's window.
private final class RelocatedRequest: HTTPStreamReceiver {
    private let head: HTTPRequestHead
    private let isEnd: Bool
    private let stream: HTTPStream
    private var body: [UInt8] = []
    private var hasEnded = false
    private var trailers: HTTPFields?
    private var isClosed = false

    init(head: HTTPRequestHead, isEnd: Bool, stream: HTTPStream) {
        self.head = head
        self.isEnd = isEnd
        self.stream = stream
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        bytes.withUnsafeBufferPointer { body.append(contentsOf: $0) }
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        hasEnded = true
        self.trailers = trailers
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) { isClosed = true }

    func finish(at front: EdgeFront) {
        guard !isClosed else { return }
        let receiver = front.accept(head, isEnd: isEnd, on: stream)
        stream.receiver = receiver
        let body = body
        if !body.isEmpty { receiver.streamReceived(body.span, on: stream) }
        if hasEnded { receiver.streamReceivedEnd(trailers: trailers, on: stream) }
    }
}
