internal import CLinux
internal import Glibc
internal import Synchronization

/// The signals a service answers to.
package enum Signal: Int32, Sendable, CaseIterable {
    case hangup = 1
    case interrupt = 2
    case terminate = 15
}

/// Signals as calls on a loop instead of interruptions.
///
/// A handler writes the signal's number into a pipe that the loop reads. Blocking the signals and reading a `signalfd`
/// would be simpler, but the runtime's main thread waits in `sigsuspend` with nothing blocked.
package enum Signals {
    private static let pipeEnd = Atomic<Int32>(-1)

    /// Makes writes to closed connections an error instead of the end of the process.
    package static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

    /// Calls the handler on the loop for each of the signals, from now on; to be called once in a process.
    package static func watch(
        _ signals: [Signal], on loop: EventLoop, _ handler: @escaping @Sendable (Signal) -> Void
    ) throws(IOError) {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutablePointer(to: &ends) { pointer in
            pointer.withMemoryRebound(to: Int32.self, capacity: 2) { culvert_pipe($0) }
        }
        guard result == 0 else { throw .last("pipe2") }
        let (readEnd, writeEnd) = ends
        pipeEnd.store(writeEnd, ordering: .sequentiallyConsistent)
        loop.execute { loop in
            let watcher = SignalWatcher(descriptor: FileDescriptor(number: readEnd), handler: handler)
            _ = try? loop.register(readEnd, handler: watcher)
        }
        for number in signals.map(\.rawValue) { _ = signal(number, note) }
    }

    /// Runs as a signal handler: only what POSIX calls async-signal-safe is allowed here.
    private static let note: @convention(c) (Int32) -> Void = { number in
        let saved = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(Signals.pipeEnd.load(ordering: .relaxed), &byte, 1)
        errno = saved
    }
}

private final class SignalWatcher: IOHandler {
    private let descriptor: FileDescriptor
    private let handler: @Sendable (Signal) -> Void

    init(descriptor: consuming FileDescriptor, handler: @escaping @Sendable (Signal) -> Void) {
        self.descriptor = descriptor
        self.handler = handler
    }

    func ioReady(_ readiness: IOReadiness) {
        var byte: UInt8 = 0
        while read(descriptor.number, &byte, 1) == 1 {
            if let signal = Signal(rawValue: Int32(byte)) { handler(signal) }
        }
    }
}
