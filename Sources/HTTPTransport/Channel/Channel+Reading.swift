internal import LinuxIO
internal import TLS

extension Channel {
    private static let readShareByteCount = 512 * 1024

    /// Stops reading, so that the peer's window closes and it waits.
    package func pauseReading() { isReadingPaused = true }

    package func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        guard mayRead || mayHoldPlaintext, state == .open, !isReading else { return }
        scheduleTurnEnd()
    }

    /// Reads so much ciphertext of a TLS connection at a time, 0 for what suits one that mostly idles.
    package func setReadByteCount(_ count: Int) { tls?.setReadByteCount(count) }

    func readUntilDry() {
        guard !isReading else { return }
        isReading = true
        defer { isReading = false }
        var share = Channel.readShareByteCount
        while state == .open, mayRead || mayHoldPlaintext, !isReadingPaused, !hasReachedEnd {
            guard share > 0 else {
                isQueuedForNextTurn = true
                return loop.atNextTurnEnd(self)
            }
            guard let count = readOnce() else { return }
            share -= count
        }
    }

    /// Reads and delivers once; the number of bytes, or nil when there is nothing more for now.
    private func readOnce() -> Int? {
        let scratch = UnsafeMutableRawBufferPointer(rebasing: loop.scratch.prefix(readByteCountMax))
        let result = tls.map { $0.read(into: scratch) } ?? readPlain(into: scratch)
        switch result {
        case .done(let count):
            lastReceived = loop.now
            mayHoldPlaintext = tls != nil
            handler?.channelReceived(UnsafeRawBufferPointer(rebasing: scratch[..<count]).bindMemory(to: UInt8.self).span)
            return count
        case .wantsRead:
            if tls != nil { flush() }
            mayRead = false
            mayHoldPlaintext = false
            return nil
        case .ended:
            hasReachedEnd = true
            handler?.channelReachedEnd()
            return nil
        case .failed(let error):
            if error.operation == "recv" { finish(.closedByPeer) } else { finish(.tls(error)) }
            return nil
        }
    }

    private func readPlain(into buffer: UnsafeMutableRawBufferPointer) -> TLSStep {
        guard let count = readCiphertext(into: buffer) else { return .wantsRead }
        if count == 0 { return .ended }
        return count > 0 ? .done(byteCount: count) : .failed(TLSError(operation: "recv", reason: ""))
    }
}

extension Channel: TLSCarrier {
    package func readCiphertext(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard mayRead else { return nil }
        switch link.map({ $0.receive(into: buffer) }) ?? Socket.receive(descriptor, into: buffer) {
        case .moved(let count):
            loop.receivedByteCount += count
            // A short read has emptied the socket; the next byte brings a new event. After a hang-up there is none.
            if count < buffer.count, !isPeerHungUp { mayRead = false }
            return count
        case .wouldBlock:
            mayRead = false
            return nil
        case .ended: return 0
        case .failed: return -1
        }
    }

    package func writeCiphertext(_ bytes: UnsafeRawBufferPointer) {
        let room = UnsafeMutableRawBufferPointer(rebasing: loop.outputScratch[gatheredByteCount...])
        if isFlushing, ciphertext.isEmpty, bytes.count <= room.count {
            room.copyMemory(from: bytes)
            gatheredByteCount += bytes.count
        } else {
            // Large writes, and alerts and tickets that OpenSSL sends while it reads: in order behind what is gathered.
            keepGathered(from: 0)
            ciphertext.append(bytes)
        }
    }
}

extension Channel {
    /// Whether the kernel has bytes of the peer that nobody has read.
    var hasUnreadBytes: Bool {
        guard state != .closed else { return false }
        let room = UnsafeMutableRawBufferPointer(rebasing: loop.scratch[..<1])
        return if case .moved = Socket.receive(descriptor, into: room, peek: true) { true } else { false }
    }
}
