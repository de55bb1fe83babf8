package import LinuxIO
package import TLS
package import TunnelDomain

/// What lives on a channel: a protocol that turns bytes into events.
package protocol ChannelHandler: AnyObject {
    /// The connection stands: TCP is connected and TLS, if any, has shaken hands.
    func channelOpened()
    /// Plaintext has come. All of it must be taken; it is valid only during the call.
    func channelReceived(_ bytes: Span<UInt8>)
    /// The peer sends no more; writing may still be possible.
    func channelReachedEnd()
    /// The unsent bytes have fallen to the low mark, and somebody asked.
    func channelDrained()
    /// Always the last call, exactly once.
    func channelClosed(_ error: ChannelError?)
}

/// One TCP connection with or without TLS, on one loop.
///
/// Writes are gathered and sent at the end of the loop's turn. Reads go on until the socket is dry, the handler pauses,
/// or the turn's share is used up, so that one busy connection does not hold the others up.
package final class Channel {
    /// Past this many unsent bytes `isCongested` is true, and producers should stop.
    package static let unsentByteCountHigh = 256 * 1024
    /// Producers are told to go on below this.
    package static let unsentByteCountLow = 64 * 1024
    private static let readShareByteCount = 512 * 1024
    private static let recordByteCount = 16 * 1024
    private static let sendByteCount = 64 * 1024

    private enum State { case connecting, handshaking, open, closed }

    package private(set) var loop: Loop
    package private(set) var handler: (any ChannelHandler)?
    package let peer: SocketAddress
    private var descriptor: Int32
    private var registration: IORegistration?
    private var tls: TLSSession?
    private var state: State

    // Reading
    private var mayRead = true
    /// OpenSSL may hold bytes that it has read ahead, whether or not the socket has more.
    private var mayHoldPlaintext = false
    private var isPeerHungUp = false
    private var isReadingPaused = false
    private var hasReachedEnd = false
    private var isReading = false
    private var isQueuedForNextTurn = false

    // Writing
    private var plaintext = ByteQueue()
    /// Ciphertext that the socket did not take at once.
    private var ciphertext = ByteQueue()
    /// Bytes of the loop's output buffer that this channel filled; 0 outside of `flush`.
    private var gatheredByteCount = 0
    private var maySend = true
    private var isFlushScheduled = false
    private var isFlushing = false
    private var wantsDrained = false
    private var isClosingAfterFlush = false
    private var isWriteShut = false
    private var hasSaidEnd = false
    private var lastSent: MonotonicInstant
    private var lastReceived: MonotonicInstant
    /// Set once the channel is closed, until the handler has been told.
    private var farewell: Farewell?

    private struct Farewell {
        var handler: any ChannelHandler
        var error: ChannelError?
    }

    private init(
        loop: Loop, descriptor: consuming FileDescriptor, peer: SocketAddress, state: State, handler: any ChannelHandler
    ) {
        self.loop = loop
        self.descriptor = descriptor.release()
        self.peer = peer
        self.state = state
        self.handler = handler
        lastSent = loop.now
        lastReceived = loop.now
        maySend = state != .connecting
    }

    deinit { if descriptor >= 0 { _ = FileDescriptor(number: descriptor) } }
}

// MARK: - Opening

extension Channel {
    /// Takes over an accepted connection. Bytes already waiting in the socket are read in this turn.
    package static func accepted(
        _ descriptor: consuming FileDescriptor, from peer: SocketAddress, on loop: Loop, tls context: TLSContext?,
        handler: any ChannelHandler
    ) throws(ChannelError) -> Channel {
        let channel = Channel(loop: loop, descriptor: descriptor, peer: peer, state: .handshaking, handler: handler)
        try channel.start(tls: context, serverName: nil)
        return channel
    }

    /// Connects to the address; the handler hears `channelOpened` or `channelClosed`.
    package static func connect(
        to address: SocketAddress, on loop: Loop, tls context: TLSContext?, serverName: String?, handler: any ChannelHandler
    ) throws(ChannelError) -> Channel {
        let descriptor: FileDescriptor
        do { descriptor = try Socket.connect(to: address) } catch { throw .io(error) }
        let channel = Channel(loop: loop, descriptor: descriptor, peer: address, state: .connecting, handler: handler)
        try channel.start(tls: context, serverName: serverName)
        return channel
    }

    private func start(tls context: TLSContext?, serverName: String?) throws(ChannelError) {
        if let context {
            do { tls = try TLSSession(context: context, carrier: self, serverName: serverName) } catch { throw .tls(error) }
        }
        do { registration = try loop.register(descriptor, handler: self) } catch { throw .io(error) }
    }

    /// Puts another protocol on the connection; the old one hears nothing more.
    package func replaceHandler(_ handler: any ChannelHandler) { self.handler = handler }

    package var isTLS: Bool { tls != nil }
    package var isClosed: Bool { state == .closed }
    package var isOpen: Bool { state == .open }
    package var applicationProtocol: String? { tls?.applicationProtocol }
    package var serverName: String? { tls?.serverName }
}

// MARK: - Moving to another loop

extension Channel {
    /// Leaves this loop at the end of its turn and goes on on another one, where `arrive` runs.
    ///
    /// `leave` runs last on this loop: the place to cancel timers. A channel that closes meanwhile does not move.
    package func move(to door: EventLoop, leave: @escaping () -> Void, arrive: @escaping (Channel) -> Void) {
        loop.afterTurn { [self] in
            guard state == .open, !isClosingAfterFlush, !isWriteShut, let registration else { return }
            guard !isQueuedForNextTurn, !isFlushScheduled else { return move(to: door, leave: leave, arrive: arrive) }
            leave()
            loop.deregister(registration, descriptor)
            self.registration = nil
            let parcel = Parcel(channel: self, arrive: arrive)
            door.execute { parcel.deliver(on: $0) }
        }
    }

    fileprivate func land(on loop: Loop) {
        self.loop = loop
        mayRead = true
        maySend = true
        do { registration = try loop.register(descriptor, handler: self) } catch { finish(.io(error)) }
        scheduleTurnEnd()
    }
}

/// A channel on its way between loops.
// The sender has taken the channel off its loop and touches it no more; only the receiving loop's thread opens the parcel.
private final class Parcel: @unchecked Sendable {
    private let channel: Channel
    private let arrive: (Channel) -> Void

    init(channel: Channel, arrive: @escaping (Channel) -> Void) {
        self.channel = channel
        self.arrive = arrive
    }

    func deliver(on loop: Loop) {
        channel.land(on: loop)
        arrive(channel)
    }
}

// MARK: - Readiness

extension Channel: IOHandler {
    package func ioReady(_ readiness: IOReadiness) {
        if !readiness.isDisjoint(with: .hungUp) { isPeerHungUp = true }
        if !readiness.isDisjoint(with: [.readable, .hungUp]) { mayRead = true }
        if readiness.contains(.writable) { maySend = true }
        // Reset, with bytes that nobody reads at present: they are of no use any more.
        if !readiness.isDisjoint(with: .broken), isReadingPaused, state == .open { return finish(.closedByPeer) }
        advance()
    }

    private func advance() {
        if state == .connecting { finishConnecting() }
        if state == .handshaking { shakeHands() }
        if state == .open || isClosingAfterFlush {
            if maySend, !(plaintext.isEmpty && ciphertext.isEmpty) { flush() }
            // Somebody waits for room: the end of the turn tells whether there is some.
            if wantsDrained { scheduleTurnEnd() }
            readUntilDry()
        } else if state != .closed, !ciphertext.isEmpty {
            flush()
        }
    }

    private func finishConnecting() {
        guard maySend || isPeerHungUp else { return }
        if let error = Socket.connectOutcome(descriptor) { return finish(.io(error)) }
        state = .handshaking
    }

    private func shakeHands() {
        guard let tls else { return open() }
        switch tls.handshake() {
        case .done: open()
        case .wantsRead: flush()
        case .ended: finish(.closedByPeer)
        case .failed(let error):
            flush()
            finish(.tls(error))
        }
    }

    private func open() {
        state = .open
        mayHoldPlaintext = tls != nil
        flush()
        handler?.channelOpened()
    }
}

// MARK: - Reading

extension Channel {
    /// Stops reading, so that the peer's window closes and it waits.
    package func pauseReading() { isReadingPaused = true }

    package func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        guard mayRead || mayHoldPlaintext, state == .open, !isReading else { return }
        scheduleTurnEnd()
    }

    private func readUntilDry() {
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
        let scratch = loop.scratch
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
        switch Socket.receive(descriptor, into: buffer) {
        case .moved(let count):
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
            // Alerts and tickets that OpenSSL sends while it reads, or more than fits: in order behind what is gathered.
            ciphertext.append(UnsafeRawBufferPointer(rebasing: loop.outputScratch[..<gatheredByteCount]))
            gatheredByteCount = 0
            ciphertext.append(bytes)
        }
    }
}

// MARK: - Writing

extension Channel {
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
        plaintext.append(bytes)
        if plaintext.count >= Channel.sendByteCount, state == .open, maySend { flush() }
        scheduleTurnEnd()
    }

    package func write(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { write(UnsafeRawBufferPointer($0)) }
    }

    package func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    /// Keeps buffers of up to this size while nothing waits: for busy connections.
    package func keepBuffers(ofByteCount count: Int) { plaintext.keepByteCountMax = count }

    /// Reads so much of a TLS connection at a time.
    package func setReadByteCount(_ count: Int) { tls?.setReadByteCount(count) }

    /// Gives the memory of buffers back that hold nothing.
    package func trimBuffers() { plaintext.trim() }

    private func scheduleTurnEnd() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.atTurnEnd(self)
    }

    /// Encrypts and sends until everything is out or the socket is full.
    private func flush() {
        guard !isFlushing else { return }
        isFlushing = true
        defer { isFlushing = false }
        while state != .closed, maySend, state != .connecting {
            if tls != nil, ciphertext.isEmpty, state == .open { encrypt() }
            guard state != .closed, sendGathered() || sendQueued() else { break }
        }
        if gatheredByteCount > 0, state != .closed { keepGathered(from: 0) }
        allSent()
    }

    /// Sends the fresh ciphertext; true when there may be more to do.
    private func sendGathered() -> Bool {
        guard gatheredByteCount > 0 else { return false }
        let count = gatheredByteCount
        switch Socket.send(descriptor, UnsafeRawBufferPointer(rebasing: loop.outputScratch[..<count])) {
        case .moved(let sent):
            lastSent = loop.now
            keepGathered(from: sent)
            return true
        case .wouldBlock:
            maySend = false
            keepGathered(from: 0)
            return false
        case .ended, .failed:
            finish(.closedByPeer)
            return false
        }
    }

    private func keepGathered(from start: Int) {
        ciphertext.append(UnsafeRawBufferPointer(rebasing: loop.outputScratch[start..<gatheredByteCount]))
        gatheredByteCount = 0
    }

    /// Sends what waited: plaintext without TLS, otherwise ciphertext; true when there may be more to do.
    private func sendQueued() -> Bool {
        let bytes = tls == nil ? plaintext.bytes : ciphertext.bytes
        guard bytes.count > 0 else { return false }
        switch Socket.send(descriptor, bytes) {
        case .moved(let count):
            lastSent = loop.now
            if tls == nil { plaintext.removeFirst(count) } else { ciphertext.removeFirst(count) }
            return true
        case .wouldBlock:
            maySend = false
            return false
        case .ended, .failed:
            finish(.closedByPeer)
            return false
        }
    }

    private func encrypt() {
        guard let tls else { return }
        while gatheredByteCount < Channel.sendByteCount, ciphertext.isEmpty, !plaintext.isEmpty {
            let record = UnsafeRawBufferPointer(rebasing: plaintext.bytes.prefix(Channel.recordByteCount))
            switch tls.write(record) {
            case .done(let count): plaintext.removeFirst(count)
            case .wantsRead: return
            case .ended: return finish(.closedByPeer)
            case .failed(let error): return finish(.tls(error))
            }
        }
    }

    private func allSent() {
        guard state != .closed, plaintext.isEmpty, ciphertext.isEmpty else { return }
        if isClosingAfterFlush { return finish(nil) }
        if isWriteShut, !hasSaidEnd { sayEnd() }
    }

    /// Tells the peer that no more comes, now that everything has left.
    private func sayEnd() {
        hasSaidEnd = true
        guard let tls else { return Socket.shutdownWrite(descriptor) }
        tls.sendCloseNotify()
        if !sendGathered(), gatheredByteCount > 0 { keepGathered(from: 0) }
    }
}

extension Channel: TurnEndHandler {
    package func turnEnded() {
        isFlushScheduled = false
        isQueuedForNextTurn = false
        if let farewell {
            self.farewell = nil
            return farewell.handler.channelClosed(farewell.error)
        }
        guard state == .open else { return }
        flush()
        if wantsDrained, unsentByteCount <= Channel.unsentByteCountLow, state == .open {
            wantsDrained = false
            handler?.channelDrained()
        }
        readUntilDry()
    }
}

// MARK: - Closing

extension Channel {
    /// Sends what was written, says goodbye and closes.
    package func close() {
        guard state != .closed, !isClosingAfterFlush else { return }
        guard state == .open else { return finish(nil) }
        isClosingAfterFlush = true
        flush()
    }

    /// Sends what was written and tells the peer that no more comes; reading goes on.
    package func shutdownWrite() {
        guard state == .open, !isWriteShut else { return }
        flush()
        isWriteShut = true
        flush()
    }

    /// Drops everything and resets the connection.
    package func abort(_ error: ChannelError) {
        guard state != .closed else { return }
        Socket.dropOnClose(descriptor)
        finish(error)
    }

    private func finish(_ error: ChannelError?) {
        guard state != .closed else { return }
        if error == nil { sayGoodbye() }
        state = .closed
        if let registration { loop.deregister(registration, descriptor) }
        registration = nil
        _ = FileDescriptor(number: descriptor)
        descriptor = -1
        plaintext.removeAll()
        ciphertext.removeAll()
        // Told at the end of the turn, so that no handler is told in the middle of its own write.
        if let handler { farewell = Farewell(handler: handler, error: error) }
        handler = nil
        scheduleTurnEnd()
    }

    private func sayGoodbye() {
        guard let tls else { return }
        tls.sendCloseNotify()
        if gatheredByteCount > 0 { keepGathered(from: 0) }
        if !ciphertext.isEmpty { _ = Socket.send(descriptor, ciphertext.bytes) }
    }
}
