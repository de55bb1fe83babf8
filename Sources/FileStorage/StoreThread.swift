internal import Glibc

/// A thread that runs actor jobs in the order they came: SQLite waits for the disk, and only this thread waits with it.
final class StoreThread: SerialExecutor {
    private let queue = JobQueue()

    /// Starts the thread; it ends when nobody uses the executor any more.
    init() {
        let queue = Unmanaged.passRetained(queue)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { StoreThread.main($0) }, queue.toOpaque())
        precondition(code == 0, "a process without room for one thread cannot serve")
        pthread_detach(thread)
    }

    deinit { queue.close() }

    func enqueue(_ job: consuming ExecutorJob) {
        queue.append(UnownedJob(job), on: asUnownedSerialExecutor())
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    // The thread keeps the queue alive, never the executor, which would otherwise never end.
    private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        let queue = Unmanaged<JobQueue>.fromOpaque(argument).takeRetainedValue()
        while let jobs = queue.next() {
            for (job, executor) in jobs { job.runSynchronously(on: executor) }
        }
        return nil
    }
}

/// Jobs on their way to the thread.
// Unchecked because every access to the mutable state is between lock and unlock; Mutex has no condition to wait on.
private final class JobQueue: @unchecked Sendable {
    typealias Entry = (UnownedJob, UnownedSerialExecutor)

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [Entry] = []
    private var isClosed = false

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(wakeUp, nil)
    }

    deinit {
        pthread_cond_destroy(wakeUp)
        pthread_mutex_destroy(lock)
        wakeUp.deallocate()
        lock.deallocate()
    }

    func append(_ job: UnownedJob, on executor: UnownedSerialExecutor) {
        pthread_mutex_lock(lock)
        waiting.append((job, executor))
        pthread_mutex_unlock(lock)
        pthread_cond_signal(wakeUp)
    }

    func close() {
        pthread_mutex_lock(lock)
        isClosed = true
        pthread_mutex_unlock(lock)
        pthread_cond_signal(wakeUp)
    }

    /// Waits for jobs and takes them all; nil when there will be no more.
    func next() -> [Entry]? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while waiting.isEmpty && !isClosed { pthread_cond_wait(wakeUp, lock) }
        if waiting.isEmpty { return nil }
        defer { waiting.removeAll(keepingCapacity: true) }
        return waiting
    }
}
