import LinuxIO
import TestSupport
import Testing

struct WakeSenseTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `a machine that stays awake is never said to have slept`() throws {
        try checkProperty { sample in
            let slept = sample.int64(in: 0...1_000_000 * Self.second)
            var now = sample.int64(in: 0...1_000 * Self.second)
            var sense = WakeSense(monotonic: now, boot: now + slept)
            for _ in 0..<20 {
                now += sample.int64(in: 0...30 * Self.second)
                let drift = sample.int64(in: 0...Self.second)
                let woken = sense.hasWoken(monotonic: now, boot: now + slept + drift, turnCount: 1)
                try sample.check(!woken, "it did not sleep")
            }
        }
    }

    @Test func `each sleep is told once`() throws {
        try checkProperty { sample in
            var now = sample.int64(in: 0...1_000 * Self.second)
            var slept: Int64 = 0
            var sense = WakeSense(monotonic: now, boot: now)
            for _ in 0..<10 {
                now += 10 * Self.second
                let sleep = sample.bool() ? sample.int64(in: 2...100_000) * Self.second : 0
                slept += sleep
                let woken = sense.hasWoken(monotonic: now, boot: now + slept, turnCount: 1)
                try sample.check(woken, is: sleep > 0, "whether it woke")
            }
        }
    }

    @Test func `a process that was held up for more than three turns is told`() {
        var sense = WakeSense(monotonic: 0, boot: 0)
        let later = 90 * Self.second
        let wasLate = sense.hasWoken(monotonic: later, boot: later, turnCount: WakeSense.missedTurnsMin)
        let wasHeldUp = sense.hasWoken(monotonic: 2 * later, boot: 2 * later, turnCount: WakeSense.missedTurnsMin + 1)
        #expect(!wasLate && wasHeldUp)
    }
}
