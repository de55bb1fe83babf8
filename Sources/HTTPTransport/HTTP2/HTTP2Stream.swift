internal import CNghttp2
package import TunnelWire

/// One exchange over HTTP/2.
package final class HTTP2Stream: HTTPStream {
    /// Names the stream on its connection; 0 until nghttp2 has given it a number.
    package internal(set) var id: Int32 = 0
    /// Lives at least as long as the stream; the connection forgets its streams when they close.
    let session: HTTP2Connection

    // The head as it comes in.
    var method = ""
    var target = ""
    var authority = ""
    var scheme = ""
    var upgradeProtocol: String?
    /// An extended CONNECT was accepted: each side ends by itself, and may be silent for as long as it likes.
    private(set) var isTunnel = false
    /// Our message's end does not make the peer's useless: it is the answer to ours.
    package var awaitsPeersEnd = false
    /// The peer is talking with whoever answers, and may be silent between two of its words.
    package var isConversation = false
    var status = 0
    var fields = HTTPFields()
    var headerListByteCount = 0
    var isHeadTooLarge = false
    /// The head was complete; fields that come now are trailers.
    var isHeadDone = false

    let beganAtNanoseconds: Int64
    var receivedByteCount = 0

    // Our message.
    /// A stream in use keeps a buffer of up to this size.
    private static let keptByteCount = 128 * 1024
    var outgoing = ByteQueue()
    var isFinished = false
    var trailers: HTTPFields?
    var hasSentHead = false
    /// A response's head that leaves with what comes next, or at the end of the turn: one that turns out to be all there is
    /// ends its stream itself, which a gRPC client takes for something else than an empty body behind it.
    private var unsentHead: HTTPResponseHead?
    var hasSentEnd = false
    var stalledSinceNanoseconds: Int64 = 0
    /// Its receiver is to be told of room.
    var awaitsRoom = false

    // The peer's message.
    var hasReceivedEnd = false
    var unconsumedByteCount = 0
    var isReset = false
    var isClosed = false
    private var window: ReceiveWindow
    /// What the window has grown by.
    private(set) var widenedByteCount = 0

    init(session: HTTP2Connection) {
        self.session = session
        beganAtNanoseconds = session.nowNanoseconds
        outgoing.keepByteCountMax = HTTP2Stream.keptByteCount
        window = ReceiveWindow(byteCount: session.settings.streamWindowByteCount)
    }

    package override var connection: HTTPConnection { session }

    package override func sendInterim(_ head: HTTPResponseHead) {
        guard !isClosed, !hasSentHead else { return }
        session.submitInterim(head, on: self)
    }

    package override func respond(_ head: HTTPResponseHead, isEnd: Bool) {
        guard !isClosed, !isReset, !hasSentHead else { return }
        hasSentHead = true
        isTunnel = upgradeProtocol != nil && (200...299).contains(head.status)
        // An answer to HEAD ends with its head (RFC 9110 §9.3.2); what is written behind it is dropped.
        isFinished = isEnd || method == "HEAD"
        if isFinished { return session.submitResponse(head, isEnd: true, on: self) }
        unsentHead = head
        session.sendHeadLater(of: self)
    }

    func sendHead(isEnd: Bool = false) {
        guard let head = unsentHead, !isClosed else { return }
        unsentHead = nil
        session.submitResponse(head, isEnd: isEnd, on: self)
    }

    package override func write(_ bytes: UnsafeRawBufferPointer) {
        guard !isClosed, !isReset, !isFinished, bytes.count > 0 else { return }
        sendHead()
        if outgoing.isEmpty { stalledSinceNanoseconds = session.nowNanoseconds }
        outgoing.append(bytes)
        session.resumeData(of: self)
    }

    package override func finish(trailers: HTTPFields?) {
        guard !isClosed, !isReset, !isFinished else { return }
        isFinished = true
        self.trailers = trailers.flatMap { $0.isEmpty ? nil : $0 }
        if unsentHead != nil { return sendHead(isEnd: self.trailers == nil) }
        session.resumeData(of: self)
    }

    package override func reset(_ reason: StreamReset) {
        guard !isClosed, !isReset else { return }
        sendHead()
        isReset = true
        session.submitReset(reason, of: self)
    }

    package override func consume(_ byteCount: Int) {
        guard byteCount > 0 else { return }
        let given = min(byteCount, unconsumedByteCount)
        unconsumedByteCount -= given
        guard !isClosed, !isReset else { return }
        let larger = window.consumed(
            given, atNanoseconds: session.nowNanoseconds, roundTrip: session.roundTrip.certain,
            usual: session.usualWindowByteCount)
        if let larger, session.mayWiden(by: larger - window.byteCount) {
            widenedByteCount += larger - window.byteCount
            window.grow(to: larger)
            session.widenWindow(of: self, to: larger)
        }
        session.giveBack(given, of: self, inPiecesOf: window.creditByteCount)
    }

    package override var unsentByteCount: Int { outgoing.count }
}
