internal import LinuxIO
package import TunnelWire

/// One end of an exchange without a connection: what is written here is received at the other end, on the same loop.
package final class LocalStream: HTTPStream {
    /// The bytes that may have arrived and not been consumed.
    private static let windowByteCount = 128 * 1024

    private let loop: Loop
    private let carrier: HTTPConnection
    private var other: LocalStream?
    private var outgoing: [UInt8] = []
    private var unconsumedByteCount = 0
    private var isFinished = false
    private var hasToldEnd = false
    private var isScheduled = false
    private var resetBy: StreamError?
    private var isClosed = false

    private init(_ loop: Loop, _ carrier: HTTPConnection) {
        self.loop = loop
        self.carrier = carrier
    }

    /// Two ends that belong together, for an exchange within that of the connection.
    package static func pair(within connection: HTTPConnection) -> (LocalStream, LocalStream) {
        let (one, two) = (
            LocalStream(connection.channel.loop, connection), LocalStream(connection.channel.loop, connection)
        )
        (one.other, two.other) = (two, one)
        return (one, two)
    }

    package override var connection: HTTPConnection { carrier }
    package override var unsentByteCount: Int { outgoing.count }

    package override func write(_ bytes: UnsafeRawBufferPointer) {
        guard !isFinished, !isClosed, resetBy == nil else { return }
        outgoing.append(contentsOf: bytes)
        deliverLater()
    }

    package override func finish(trailers: HTTPFields?) {
        isFinished = true
        deliverLater()
    }

    package override func reset(_ reason: StreamReset) {
        guard !isClosed, resetBy == nil else { return }
        resetBy = .cancelled
        other?.resetBy = .cancelledByPeer
        deliverLater()
    }

    package override func consume(_ byteCount: Int) {
        unconsumedByteCount -= min(byteCount, unconsumedByteCount)
        other?.deliverLater()
    }

    private func deliverLater() {
        guard !isScheduled, !isClosed else { return }
        isScheduled = true
        loop.atTurnEnd(self)
    }

    private func deliver() {
        guard let other, !isClosed else { return }
        if resetBy != nil { return close(with: other) }
        let count = min(outgoing.count, LocalStream.windowByteCount - other.unconsumedByteCount)
        if count > 0 {
            let bytes = Array(outgoing[..<count])
            outgoing.removeFirst(count)
            other.unconsumedByteCount += count
            other.receiver?.streamReceived(bytes.span, on: other)
            receiver?.streamSent(byteCount: count, on: self)
        }
        guard isFinished, outgoing.isEmpty, !hasToldEnd else { return }
        hasToldEnd = true
        other.receiver?.streamReceivedEnd(trailers: nil, on: other)
        if other.hasToldEnd { close(with: other) }
    }

    private func close(with other: LocalStream) {
        for end in [self, other] where !end.isClosed {
            end.isClosed = true
            end.other = nil
            let receiver = end.receiver
            end.receiver = nil
            receiver?.streamClosed(end.resetBy, on: end)
        }
    }
}

extension LocalStream: TurnEndHandler {
    package func turnEnded() {
        isScheduled = false
        deliver()
    }
}
