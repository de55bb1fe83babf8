internal import Synchronization
package import TunnelDomain
internal import TunnelService

/// Wall time and monotonic time together, standing still until a test moves them; only the wall clock can jump.
package final class ManualClock: WallClock {
    private struct Moment {
        var wall: Timestamp
        var monotonic: MonotonicInstant
    }

    private let moment: Mutex<Moment>

    package init(
        _ wall: Timestamp = Timestamp(secondsSinceEpoch: 1_776_774_600),
        monotonic: MonotonicInstant = MonotonicInstant(nanoseconds: 0)
    ) {
        moment = Mutex(Moment(wall: wall, monotonic: monotonic))
    }

    package var now: Timestamp { moment.withLock { $0.wall } }
    package var instant: MonotonicInstant { moment.withLock { $0.monotonic } }

    /// Lets time pass on both clocks.
    package func advance(by duration: Duration) {
        moment.withLock {
            $0.wall = $0.wall + duration
            $0.monotonic = $0.monotonic + duration
        }
    }

    /// Sets the wall clock, as an operator or NTP would; monotonic time does not notice.
    package func setWall(to wall: Timestamp) { moment.withLock { $0.wall = wall } }
}
