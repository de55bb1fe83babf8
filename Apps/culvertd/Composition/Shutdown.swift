import Glibc
import LinuxIO
import Synchronization

/// The end of the service, as signals ask for it.
final class Shutdown: Sendable {
    private struct State {
        var signalCount = 0
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Watches on the loop. The second signal ends the process at once.
    func watch(on loop: EventLoop) throws {
        try Signals.watch([.terminate, .interrupt], on: loop) { [self] signal in
            let (count, waiting) = state.withLock { state in
                state.signalCount += 1
                let waiting = state.waiting
                state.waiting = nil
                return (state.signalCount, waiting)
            }
            waiting?.resume()
            if count > 1 { _exit(128 + signal.rawValue) }
        }
    }

    /// Returns when the first signal has come.
    func asked() async {
        await withCheckedContinuation { continuation in
            let isAsked = state.withLock { state in
                if state.signalCount == 0 { state.waiting = continuation }
                return state.signalCount > 0
            }
            if isAsked { continuation.resume() }
        }
    }
}
