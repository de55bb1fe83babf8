import LinuxIO
import Synchronization
import TunnelDomain

/// What happens to the service, from signals and from other processes, in order.
final class Happenings: Sendable {
    let events: AsyncStream<ServiceLife.Event>
    private let sink: AsyncStream<ServiceLife.Event>.Continuation
    private let signal = Atomic<Int32>(0)

    init() { (events, sink) = AsyncStream.makeStream() }

    /// The number of the last signal; 0 when none has come.
    var lastSignal: Int32 { signal.load(ordering: .relaxed) }

    func tell(_ event: ServiceLife.Event) { sink.yield(event) }

    /// Takes signals for the operator's wish to end, on the loop.
    func watchSignals(on loop: EventLoop) throws {
        try Signals.watch([.terminate, .interrupt], on: loop) { [self] number in
            signal.store(number.rawValue, ordering: .relaxed)
            tell(.terminated)
        }
    }
}
