internal import CLinux
internal import Glibc

/// The signals a service answers to.
package enum Signal: Int32, Sendable, CaseIterable {
    case hangup = 1
    case interrupt = 2
    case terminate = 15
}

/// Signals as calls on a loop instead of interruptions.
package enum Signals {
    /// Makes writes to closed connections an error instead of the end of the process.
    package static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

    /// Blocks the signals for every thread that is started from now on; call it first in `main`.
    package static func block(_ signals: [Signal]) {
        var set = signalSet(signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Calls the handler on the loop for each of the signals, which `block` has blocked.
    package static func watch(
        _ signals: [Signal], on loop: EventLoop, _ handler: @escaping @Sendable (Signal) -> Void
    ) throws(IOError) {
        var set = signalSet(signals)
        let number = signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        guard number >= 0 else { throw .last("signalfd") }
        loop.execute { loop in
            let watcher = SignalWatcher(descriptor: FileDescriptor(number: number), handler: handler)
            _ = try? loop.register(number, handler: watcher)
        }
    }

    private static func signalSet(_ signals: [Signal]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal.rawValue) }
        return set
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
        var info = signalfd_siginfo()
        while read(descriptor.number, &info, MemoryLayout<signalfd_siginfo>.size) == MemoryLayout<signalfd_siginfo>.size {
            if let signal = Signal(rawValue: Int32(info.ssi_signo)) { handler(signal) }
        }
    }
}
