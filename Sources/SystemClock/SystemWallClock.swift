internal import Glibc
package import TunnelDomain
internal import TunnelService

/// The machine's wall time, asked anew at every use: it may jump when somebody sets the clock.
package struct SystemWallClock: WallClock {
    package init() {}

    package var now: Timestamp {
        let time = read(CLOCK_REALTIME)
        return Timestamp(microsecondsSinceEpoch: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}

/// Time since the machine started; never jumps, so timers use it.
package struct SystemMonotonicClock: Sendable {
    package init() {}

    package var now: MonotonicInstant {
        let time = read(CLOCK_MONOTONIC)
        return MonotonicInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// Reads one of the kernel's clocks.
private func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    let status = clock_gettime(clock, &time)
    precondition(status == 0, "Linux has had this clock since 2.6")
    return time
}
