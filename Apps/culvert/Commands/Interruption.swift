internal import LinuxIO
internal import Synchronization

/// Ctrl-C and SIGTERM: the first one asks, the second one ends the process.
enum Interruption {
    /// - Parameters:
    ///   - hangUp: what SIGHUP does; nil leaves that signal alone.
    ///   - farewell: what is done before a second signal ends the process.
    static func watch(
        hangUp: (@Sendable () -> Void)? = nil, farewell: @escaping @Sendable () -> Void = {},
        _ ask: @escaping @Sendable () -> Void
    ) throws(Complaint) -> EventLoop {
        let counter = Counter()
        do {
            let loop = try EventLoop()
            try Signals.watch([.interrupt, .terminate] + (hangUp == nil ? [] : [.hangup]), on: loop) { signal in
                switch signal {
                case .hangup: hangUp?()
                case .interrupt, .terminate:
                    if counter.next() == 1 { return ask() }
                    farewell()
                    ProcessExit.end(ExitCode.interrupted.rawValue)
                }
            }
            return loop
        } catch {
            throw Complaint("signals cannot be watched: \(error)")
        }
    }

    private final class Counter: Sendable {
        private let value = Atomic(0)

        func next() -> Int { value.add(1, ordering: .relaxed).newValue }
    }
}
