@testable import HTTPTransport
import TunnelDomain
import TunnelWire

/// A third party: one connection, on which it asks for one thing after another, or over HTTP/2 for several at once.
final class SimulatedThirdParty: SimulatedClient {
    var requests: [SimulatedRequest] = []
    /// The tunnel that an HTTP/1.1 connection is for.
    var tunnel = 0
    /// It kept the edge waiting, or asked on a connection that the edge was giving up: it may be cut off.
    private(set) var isSlow = false

    /// Notes that time passes while something is on its way, is not sent yet or was not read.
    func noteTimePasses() {
        let isUnderWay = SimulatedWire.Direction.allCases.contains { wire.isBusy($0) }
        if isUnderWay || requests.contains(where: { !$0.isOver && (!$0.isSent || $0.hasUnread) }) { isSlow = true }
    }

    /// Something may get lost that is on its way.
    func noteRisk() { if wire.isBusy(.toEdge) || wire.isBusy(.toClient) { isSlow = true } }

    var mayAsk: Bool {
        guard !isOver, goodbye == nil else { return false }
        return isHTTP2 ? http2?.mayBegin ?? false : http1?.isIdle ?? false
    }

    func ask(_ request: SimulatedRequest, host: String) throws {
        var head = HTTPRequestHead(method: request.method, target: "/r/\(request.number)", authority: host)
        head.fields.append(name: "x-number", value: "\(request.number)")
        if request.isUpgrade { askToUpgrade(&head) }
        let isEnd = request.body.isEmpty && !request.isUpgrade
        if !isEnd, !request.isUpgrade, !isHTTP2 || request.number % 3 == 0 {
            head.fields.append(name: "content-length", value: "\(request.body.count)")
        }
        if !isEnd, !request.isUpgrade, request.number % 5 == 0 { head.fields.append(name: "expect", value: "100-continue") }
        if wire.isBusy(.toClient) { isSlow = true }
        request.stream =
            isHTTP2
            ? http2?.request(head, isEnd: isEnd, receiver: request)
            : try http1?.request(head, isEnd: isEnd, contentLength: request.body.count, receiver: request)
        request.thirdParty = self
        requests.append(request)
    }

    private func askToUpgrade(_ head: inout HTTPRequestHead) {
        head.upgradeProtocol = "websocket"
        head.fields.append(name: "sec-websocket-version", value: "13")
        if isHTTP2 { head.method = "CONNECT" } else { head.fields.append(name: "sec-websocket-key", value: Self.key) }
    }

    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="
}

/// One request as its third party sees it.
class SimulatedRequest: HTTPStreamReceiver {
    let number: Int
    /// Which of the tunnels it is for.
    let tunnel: Int
    let method: String
    let body: [UInt8]
    let askedAt: MonotonicInstant
    var stream: HTTPStream?
    weak var thirdParty: SimulatedThirdParty?
    private(set) var sentByteCount = 0
    private(set) var isSent: Bool

    private(set) var head: HTTPResponseHead?
    private(set) var received: [UInt8] = []
    private(set) var hasEnd = false
    private(set) var closingCount = 0
    private(set) var error: StreamError?
    private(set) var endedAt: MonotonicInstant?
    private var unconsumedByteCount = 0
    /// The third party gave it up before it had its answer.
    private(set) var isGivenUp = false
    private let now: () -> MonotonicInstant

    init(
        number: Int, tunnel: Int, method: String, bodyByteCount: Int, now: @escaping () -> MonotonicInstant
    ) {
        self.number = number
        self.tunnel = tunnel
        self.method = method
        self.now = now
        body = simulatedBody(of: number, byteCount: bodyByteCount)
        askedAt = now()
        isSent = body.isEmpty
    }

    var isOver: Bool { closingCount > 0 }
    var hasUnread: Bool { unconsumedByteCount > 0 }
    /// Asks for a WebSocket.
    var isUpgrade: Bool { false }
    /// The bytes that have come.
    var progress: Int { received.count }
    /// The whole answer is here.
    var isAnswered: Bool { head != nil && hasEnd }
    /// Both were open at the same moment.
    func overlaps(_ other: SimulatedRequest) -> Bool {
        func ends(_ request: SimulatedRequest) -> MonotonicInstant { request.endedAt ?? now() }
        return askedAt <= ends(other) && other.askedAt <= ends(self)
    }
    var reason: String? { head?.fields.first(named: "inkbox-reason") }

    /// Sends the next so many bytes of the body.
    func send(upTo byteCount: Int) {
        guard let stream, !isSent, !isOver else { return }
        let end = sentByteCount + min(byteCount, body.count - sentByteCount)
        stream.write(Array(body[sentByteCount..<end]))
        sentByteCount = end
        guard end == body.count else { return }
        isSent = true
        stream.finish(trailers: nil)
    }

    /// Takes what has come, so that more may come.
    func take() {
        stream?.consume(unconsumedByteCount)
        unconsumedByteCount = 0
    }

    func giveUp() {
        guard !isOver else { return }
        if !isAnswered { isGivenUp = true }
    }

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        if head.status >= 200 || head.status == 101 { self.head = head }
    }
    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        unconsumedByteCount += bytes.count
        hear(bytes, on: stream)
    }
    func hear(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        bytes.withUnsafeBufferPointer { received.append(contentsOf: $0) }
    }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) { hasEnd = true }
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        closingCount += 1
        self.error = error
        endedAt = now()
        self.stream = nil
    }
}
