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
        edge.site?.releaseConnection()
        edge.site = nil
        let relocation = Relocation()
        connection.move(to: door) { loop in
            guard let front = EdgeFront.resident(of: loop) else {
                preconditionFailure("every door of the directory has a front")
            }
            edge.isMoving = false
            front.adopt(connection)
            relocation.finish(head, isEnd: isEnd, on: stream, at: front)
            return front
        } leave: { [self] in
            letGo(connection)
        }
        return relocation
    }
}

/// Keeps what comes of a request while its connection is on its way; bounded by the client's window.
private final class Relocation: HTTPStreamReceiver {
    private var body: [UInt8] = []
    private var hasEnded = false
    private var trailers: HTTPFields?
    private var isClosed = false

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        bytes.withUnsafeBufferPointer { body.append(contentsOf: $0) }
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        hasEnded = true
        self.trailers = trailers
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) { isClosed = true }

    /// Lets the front of the new loop have the request as if it came now.
    func finish(_ head: HTTPRequestHead, isEnd: Bool, on stream: HTTPStream, at front: EdgeFront) {
        guard !isClosed else { return }
        let receiver = front.accept(head, isEnd: isEnd, on: stream)
        stream.receiver = receiver
        if !body.isEmpty { receiver.streamReceived(body.span, on: stream) }
        if hasEnded { receiver.streamReceivedEnd(trailers: trailers, on: stream) }
    }
}
