internal import HTTPTransport
internal import TunnelWire

/// Hears whether the server has taken the word that this agent leaves.
final class LeaveExchange: HTTPStreamReceiver {
    private var status = 0
    private let completion: (_ wasAccepted: Bool) -> Void

    init(_ completion: @escaping (_ wasAccepted: Bool) -> Void) { self.completion = completion }

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) { status = head.status }
    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) { stream.consume(bytes.count) }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {}
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) { completion(status == 200) }
}
