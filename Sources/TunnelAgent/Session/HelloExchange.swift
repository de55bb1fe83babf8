internal import HTTPTransport
internal import TunnelWire

/// Hears the answer to hello.
final class HelloExchange: HTTPStreamReceiver {
    private var status = 0
    private var retryAfter: String?
    private var body: [UInt8] = []
    private var completion: ((HelloVerdict) -> Void)?

    init(_ completion: @escaping (HelloVerdict) -> Void) { self.completion = completion }

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        guard head.status >= 200 else { return }
        status = head.status
        retryAfter = head.fields.first(.retryAfter)
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        let room = HelloVerdict.bodyByteCountMax - body.count
        bytes.extracting(..<min(room, bytes.count)).withUnsafeBufferPointer { body.append(contentsOf: $0) }
        stream.consume(bytes.count)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        complete(HelloVerdict(status: status, body: body, retryAfter: retryAfter))
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {}

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        complete(.transient(reason: error.map { "hello failed: \($0)" } ?? "hello was not answered", retryAfterSeconds: nil))
    }

    private func complete(_ verdict: HelloVerdict) {
        completion?(verdict)
        completion = nil
    }
}
