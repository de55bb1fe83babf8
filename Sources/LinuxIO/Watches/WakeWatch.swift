internal import CLinux
internal import Glibc

/// Knows from two clocks whether the machine has slept or this process was held up.
package struct WakeSense: Sendable, Hashable {
    /// What counts as sleep, in seconds: less is a clock being read in two steps.
    package static let sleepSecondsMin: Int64 = 2
    /// Turns of the timer that were missed, from which on the process was held up.
    package static let missedTurnsMin: UInt64 = 3

    private var sleptNanoseconds: Int64

    /// - Parameters:
    ///   - monotonic: nanoseconds of `CLOCK_MONOTONIC`, which stands still while the machine sleeps.
    ///   - boot: nanoseconds of `CLOCK_BOOTTIME`, which goes on.
    package init(monotonic: Int64, boot: Int64) { sleptNanoseconds = boot - monotonic }

    /// Whether there was a gap since the last time that this was asked.
    ///
    /// - Parameter turnCount: how often the timer should have been heard since then, this time included.
    package mutating func hasWoken(monotonic: Int64, boot: Int64, turnCount: UInt64) -> Bool {
        let slept = boot - monotonic
        defer { sleptNanoseconds = max(sleptNanoseconds, slept) }
        return slept - sleptNanoseconds >= Self.sleepSecondsMin * 1_000_000_000 || turnCount > Self.missedTurnsMin
    }
}

/// Tells that the machine has woken from sleep, or that this process was stopped for a while and goes on.
package final class WakeWatch: IOHandler {
    /// A timer that is due while the machine sleeps is heard as soon as it wakes: so a longer interval loses nothing.
    package static let intervalSeconds = 10

    private let descriptor: FileDescriptor
    private let woken: () -> Void
    private var sense: WakeSense
    private var registration: IORegistration?

    package init(on loop: Loop, woken: @escaping () -> Void) throws(IOError) {
        let number = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_NONBLOCK) | Int32(TFD_CLOEXEC))
        guard number >= 0 else { throw .last("timerfd_create") }
        descriptor = FileDescriptor(number: number)
        self.woken = woken
        sense = WakeSense(monotonic: Self.read(CLOCK_MONOTONIC), boot: Self.read(CLOCK_BOOTTIME))
        let interval = timespec(tv_sec: Self.intervalSeconds, tv_nsec: 0)
        var setting = itimerspec(it_interval: interval, it_value: interval)
        guard timerfd_settime(number, 0, &setting, nil) == 0 else { throw .last("timerfd_settime") }
        registration = try loop.register(number, handler: self)
    }

    package func stop(on loop: Loop) {
        if let registration { loop.deregister(registration, descriptor.number) }
        registration = nil
    }

    package func ioReady(_ readiness: IOReadiness) {
        var turnCount: UInt64 = 0
        guard registration != nil, Glibc.read(descriptor.number, &turnCount, 8) == 8 else { return }
        let (monotonic, boot) = (Self.read(CLOCK_MONOTONIC), Self.read(CLOCK_BOOTTIME))
        if sense.hasWoken(monotonic: monotonic, boot: boot, turnCount: turnCount) { woken() }
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
