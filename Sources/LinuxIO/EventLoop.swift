internal import CLinux
internal import Glibc
internal import Synchronization
package import TunnelDomain

/// The door to a loop: a thread with an epoll set, which other threads may only hand work to.
///
/// Everything that lives on the loop (`Loop`, connections, streams) is not `Sendable`, so the compiler keeps it there.
package final class EventLoop: Sendable {
    package typealias Job = @Sendable (Loop) -> Void

    private struct Mailbox {
        var jobs: [Job] = []
        var isStopped = false
    }

    private let mailbox = Mutex(Mailbox())
    private let wakeDescriptor: FileDescriptor
    /// The loop's place among its siblings, from 0.
    package let index: Int

    private init(index: Int, wakeDescriptor: consuming FileDescriptor) {
        self.index = index
        self.wakeDescriptor = wakeDescriptor
    }

    /// Starts the thread.
    package convenience init(index: Int = 0) throws(IOError) {
        self.init(index: index, wakeDescriptor: try EventLoop.makeWakeDescriptor())
        try startThread(ThreadStart(door: self, epoll: try EventLoop.makeEpoll(), wake: wakeDescriptor.number))
    }

    /// A loop without a thread, for simulations: whoever holds both turns it, and says what time it is.
    package static func turnedByHand(
        index: Int = 0, at now: MonotonicInstant
    ) throws(IOError) -> (door: EventLoop, loop: Loop) {
        let door = EventLoop(index: index, wakeDescriptor: try makeWakeDescriptor())
        return (door, Loop(door: door, epoll: try makeEpoll(), wake: door.wakeDescriptor.number, now: now))
    }

    private static func makeEpoll() throws(IOError) -> Int32 {
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .last("epoll_create1") }
        return epoll
    }

    private static func makeWakeDescriptor() throws(IOError) -> FileDescriptor {
        let wake = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard wake >= 0 else { throw .last("eventfd") }
        return FileDescriptor(number: wake)
    }

    /// Runs the job on the loop's thread, in the order of the calls. False when the loop has stopped and the job is dropped.
    @discardableResult
    package func execute(_ job: @escaping Job) -> Bool {
        let (isTaken, mustWake) = mailbox.withLock { box in
            guard !box.isStopped else { return (false, false) }
            box.jobs.append(job)
            return (true, box.jobs.count == 1)
        }
        if mustWake { wake() }
        return isTaken
    }

    /// Runs the work on the loop's thread and returns its result; throws when the loop ends before that.
    package func run<Result: Sendable>(_ work: @escaping @Sendable (Loop) throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let promise = Promise(continuation)
            execute { loop in promise.keep(with: Swift.Result { try work(loop) }) }
        }
    }

    /// Ends the thread once the jobs that came before are done.
    package func stop() {
        execute { $0.stop() }
    }

    func takeJobs() -> [Job] { mailbox.withLock { box in exchange(&box.jobs, with: []) } }

    /// Takes no more jobs and drops those that came after the stop.
    func refuseJobs() {
        let dropped = mailbox.withLock { box in
            box.isStopped = true
            return exchange(&box.jobs, with: [])
        }
        // What the jobs hold is let go of here, outside of the lock: it may reach for this loop again.
        _ = dropped
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeDescriptor.number, &one, 8)
    }
}

/// A continuation that is resumed in any case: with a result, or with an error when nobody can give one any more.
private final class Promise<Result: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Result, any Error>?>

    init(_ continuation: CheckedContinuation<Result, any Error>) { self.continuation = Mutex(continuation) }

    deinit { take()?.resume(throwing: IOError(code: ESHUTDOWN, operation: "event loop")) }

    func keep(with result: Swift.Result<Result, any Error>) { take()?.resume(with: result) }

    private func take() -> CheckedContinuation<Result, any Error>? {
        continuation.withLock { exchange(&$0, with: nil) }
    }
}

private func exchange<Value>(_ value: inout Value, with new: Value) -> Value {
    let old = value
    value = new
    return old
}

/// What a new loop thread is given.
private final class ThreadStart: Sendable {
    let door: EventLoop
    let epoll: Int32
    let wake: Int32

    init(door: EventLoop, epoll: Int32, wake: Int32) {
        self.door = door
        self.epoll = epoll
        self.wake = wake
    }
}

private func startThread(_ start: ThreadStart) throws(IOError) {
    var thread = pthread_t()
    let code = pthread_create(&thread, nil, loopThreadMain, Unmanaged.passRetained(start).toOpaque())
    guard code == 0 else { throw IOError(code: code, operation: "pthread_create") }
    pthread_detach(thread)
}

private func loopThreadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    Loop(door: start.door, epoll: start.epoll, wake: start.wake, now: Loop.readClock()).run()
    return nil
}
