internal import Dispatch
internal import LinuxIO
internal import Synchronization

/// Standard output, written by a thread of its own: nobody waits for a client that is slow to read, up to a bound.
final class OutputQueue: Sendable {
    private struct State {
        var pending: [UInt8] = []
        /// Bytes that are handed over and not yet written.
        var unwrittenCount = 0
        var isWriting = false
        var isBroken = false
        var isReaderWaiting = false
        var flushed: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let thread: EventLoop
    private let descriptor: Int32
    private let byteCountMax: Int
    private let room = DispatchSemaphore(value: 0)
    private let broken: @Sendable () -> Void

    /// - Parameter broken: called once when nobody reads any more.
    init(descriptor: Int32, byteCountMax: Int, broken: @escaping @Sendable () -> Void) throws(IOError) {
        thread = try EventLoop()
        self.descriptor = descriptor
        self.byteCountMax = byteCountMax
        self.broken = broken
    }

    /// Queues the bytes; whole messages stay whole.
    func send(_ bytes: [UInt8]) {
        let mustStart = state.withLock { state in
            guard !state.isBroken else { return false }
            state.pending.append(contentsOf: bytes)
            state.unwrittenCount += bytes.count
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStart { thread.execute { [self] _ in write() } }
    }

    /// Queues the bytes unless more than the bound is unwritten already. For what the client has not asked for: of that there
    /// may be any amount, and nobody to hold up.
    ///
    /// - Returns: false when they are left out.
    @discardableResult
    func offer(_ bytes: [UInt8]) -> Bool {
        guard state.withLock({ $0.unwrittenCount <= byteCountMax && !$0.isBroken }) else { return false }
        send(bytes)
        return true
    }

    /// Holds the calling thread up while more than the bound is unwritten. For the thread that reads the input.
    func waitForRoom() {
        while true {
            let mustWait = state.withLock { state in
                state.isReaderWaiting = state.unwrittenCount > byteCountMax && !state.isBroken
                return state.isReaderWaiting
            }
            guard mustWait else { return }
            room.wait()
        }
    }

    /// Returns when everything that was sent before is written, or can never be.
    func flush() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if state.isBroken || !state.isWriting { return true }
                state.flushed.append(continuation)
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    private func write() {
        while let bytes = next() {
            guard BlockingWrite.all(bytes, to: descriptor) else { return fail() }
            let mustSignal = state.withLock { state in
                state.unwrittenCount -= bytes.count
                guard state.isReaderWaiting, state.unwrittenCount <= byteCountMax / 2 else { return false }
                state.isReaderWaiting = false
                return true
            }
            if mustSignal { room.signal() }
        }
    }

    private func next() -> [UInt8]? {
        let (bytes, flushed) = state.withLock { state -> ([UInt8]?, [CheckedContinuation<Void, Never>]) in
            guard state.pending.isEmpty else {
                let bytes = state.pending
                state.pending = []
                return (bytes, [])
            }
            state.isWriting = false
            defer { state.flushed = [] }
            return (nil, state.flushed)
        }
        for continuation in flushed { continuation.resume() }
        return bytes
    }

    private func fail() {
        let (flushed, mustSignal) = state.withLock { state in
            state.isBroken = true
            state.pending = []
            defer {
                state.flushed = []
                state.isReaderWaiting = false
            }
            return (state.flushed, state.isReaderWaiting)
        }
        for continuation in flushed { continuation.resume() }
        if mustSignal { room.signal() }
        broken()
    }
}
