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
    var hasSentEnd = false
    var stalledSinceNanoseconds: Int64 = 0

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
        if isEnd { isFinished = true }
        session.submitResponse(head, isEnd: isEnd, on: self)
    }

    package override func write(_ bytes: UnsafeRawBufferPointer) {
        guard !isClosed, !isReset, !isFinished, bytes.count > 0 else { return }
        if outgoing.isEmpty { stalledSinceNanoseconds = session.nowNanoseconds }
        outgoing.append(bytes)
        session.resumeData(of: self)
    }

    package override func finish(trailers: HTTPFields?) {
        guard !isClosed, !isReset, !isFinished else { return }
        isFinished = true
        self.trailers = trailers.flatMap { $0.isEmpty ? nil : $0 }
        session.resumeData(of: self)
    }

    package override func reset(_ reason: StreamReset) {
        guard !isClosed, !isReset else { return }
        isReset = true
        session.submitReset(reason, of: self)
    }

    package override func consume(_ byteCount: Int) {
        guard byteCount > 0 else { return }
        let given = min(byteCount, unconsumedByteCount)
        unconsumedByteCount -= given
        guard !isClosed, !isReset else { return }
        let larger = window.consumed(given, atNanoseconds: session.nowNanoseconds, roundTrip: session.roundTripNanoseconds)
        if let larger, session.mayWiden(by: larger / 2) {
            widenedByteCount += larger / 2
            session.widenWindow(of: self, to: larger)
        }
        session.giveBack(given, of: self)
    }

    package override var unsentByteCount: Int { outgoing.count }
}
