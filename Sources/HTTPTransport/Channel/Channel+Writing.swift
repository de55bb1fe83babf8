internal import LinuxIO
internal import TLS
package import TunnelDomain

extension Channel {
    /// Past this many unsent bytes `isCongested` is true, and producers should stop.
    package static let unsentByteCountHigh = 256 * 1024
    /// Producers are told to go on below this.
    package static let unsentByteCountLow = 64 * 1024
    /// The most that one TLS record holds (RFC 8446 §5.1).
    package static let recordByteCount = 16 * 1024
    /// So much is sent before the turn ends.
    private static let sendByteCount = 128 * 1024
    /// Writes of this size are encrypted from where they lie, without being copied into the queue first.
    private static let directByteCountMin = 4 * 1024

    /// The bytes that were written and are not with the kernel yet.
    package var unsentByteCount: Int { plaintext.count + ciphertext.count }

    /// True while producers should hold back; `channelDrained` tells when to go on.
    package var isCongested: Bool {
        let isCongested = unsentByteCount >= Channel.unsentByteCountHigh
        if isCongested { wantsDrained = true }
        return isCongested
    }

    /// True if little is waiting to be sent; otherwise `channelDrained` will tell when that is so.
    package func isDrained() -> Bool {
        let isDrained = unsentByteCount <= Channel.unsentByteCountLow
        if !isDrained { wantsDrained = true }
        return isDrained
    }

    /// When the connection last moved a byte in either direction.
    package var lastProgressAt: MonotonicInstant { max(lastSent, lastReceived) }

    /// When the socket last took a byte: a peer that sends and never reads makes no progress here.
    package var lastSentAt: MonotonicInstant { lastSent }

    package func write(_ bytes: UnsafeRawBufferPointer) {
        guard state != .closed, !isWriteShut else { return }
        plaintext.append(UnsafeRawBufferPointer(rebasing: bytes[encryptInPlace(bytes)...]))
        if unsentByteCount >= Channel.sendByteCount, state == .open, maySend { flush(isTurnOver: false) }
        scheduleTurnEnd()
    }

    package func write(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { write(UnsafeRawBufferPointer($0)) }
    }

    package func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    /// Keeps buffers of up to this size while nothing waits: for busy connections.
    package func keepBuffers(ofByteCount count: Int) {
        plaintext.keepByteCountMax = count
        ciphertext.keepByteCountMax = count
    }

    /// Gives the memory of buffers back that hold nothing.
    package func trimBuffers() {
        plaintext.trim()
        ciphertext.trim()
    }
}

// MARK: - Encrypting

extension Channel {
    /// Encrypts a large write without keeping a copy of it; the number of bytes taken, 0 when they must wait their turn.
    private func encryptInPlace(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard bytes.count >= Channel.directByteCountMin, plaintext.isEmpty, state == .open, let tls else { return 0 }
        var taken = 0
        while bytes.count - taken >= Channel.directByteCountMin {
            guard let count = encrypt(UnsafeRawBufferPointer(rebasing: bytes[taken...]), tls) else { break }
            taken += count
        }
        return taken
    }

    /// Encrypts what waits; before the end of a turn whole records only, because more may follow.
    private func encryptQueued(isTurnOver: Bool) {
        guard state == .open, let tls else { return }
        let least = isTurnOver ? 1 : Channel.recordByteCount
        while plaintext.count >= least, gatheredByteCount + ciphertext.count < Channel.sendByteCount {
            guard let count = encrypt(plaintext.bytes, tls) else { return }
            plaintext.removeFirst(count)
        }
    }

    /// Makes one record; the number of bytes in it, or nil when OpenSSL takes none.
    private func encrypt(_ bytes: UnsafeRawBufferPointer, _ tls: TLSSession) -> Int? {
        switch tls.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(Channel.recordByteCount))) {
        case .done(let count): return count
        case .wantsRead: return nil
        case .ended: finish(.closedByPeer)
        case .failed(let error): finish(.tls(error))
        }
        return nil
    }
}

// MARK: - Sending

extension Channel {
    /// Encrypts and sends until everything is out or the socket is full.
    func flush(isTurnOver: Bool = true) {
        guard !isFlushing else { return }
        isFlushing = true
        defer { isFlushing = false }
        while state != .closed, maySend, state != .connecting {
            encryptQueued(isTurnOver: isTurnOver)
            guard state != .closed, sendQueued() || sendGathered() else { break }
        }
        keepGathered(from: 0)
        if state != .closed, unsentByteCount == 0 { allSent() }
    }

    /// Sends the ciphertext there is, once and as far as the socket takes it.
    func sendCiphertext() {
        if !sendQueued() { _ = sendGathered() }
        keepGathered(from: 0)
    }

    /// Sends the fresh ciphertext; true when there may be more to do.
    private func sendGathered() -> Bool {
        guard gatheredByteCount > 0 else { return false }
        let sent = send(UnsafeRawBufferPointer(rebasing: loop.outputScratch[..<gatheredByteCount]))
        keepGathered(from: sent ?? 0)
        return sent != nil
    }

    /// Sends what waited: plaintext without TLS, otherwise ciphertext; true when there may be more to do.
    private func sendQueued() -> Bool {
        let bytes = tls == nil ? plaintext.bytes : ciphertext.bytes
        guard bytes.count > 0, let sent = send(bytes) else { return false }
        if tls == nil { plaintext.removeFirst(sent) } else { ciphertext.removeFirst(sent) }
        return true
    }

    /// The number of bytes that the socket took, or nil when it took none.
    private func send(_ bytes: UnsafeRawBufferPointer) -> Int? {
        switch transmit(bytes) {
        case .moved(let count):
            lastSent = loop.now
            loop.sentByteCount += count
            return count
        case .wouldBlock: maySend = false
        case .ended, .failed: finish(.closedByPeer)
        }
        return nil
    }

    func transmit(_ bytes: UnsafeRawBufferPointer) -> Socket.Transfer {
        link.map { $0.send(bytes) } ?? Socket.send(descriptor, bytes)
    }

    func keepGathered(from start: Int) {
        guard start < gatheredByteCount else { return gatheredByteCount = 0 }
        ciphertext.append(UnsafeRawBufferPointer(rebasing: loop.outputScratch[start..<gatheredByteCount]))
        gatheredByteCount = 0
    }
}
