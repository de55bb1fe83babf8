@testable import LinuxIO
import TestSupport
import Testing
import TunnelDomain

/// What a timer queue should do, with none of its cleverness.
private struct NaiveTimers {
    var waiting: [(deadline: Int64, number: Int)] = []

    mutating func takeDue(at now: Int64) -> Int? {
        let due = waiting.filter { $0.deadline <= now }.min { ($0.deadline, $0.number) < ($1.deadline, $1.number) }
        guard let due else { return nil }
        waiting.removeAll { $0.number == due.number }
        return due.number
    }
}

@Test func `a timer queue does what a sorted list would`() throws {
    try checkProperty { sample in
        var queue = TimerQueue()
        var naive = NaiveTimers()
        var timers: [TimerID] = []
        var fired: [Int] = []
        for _ in 0..<sample.int(in: 0...60) {
            switch sample.int(in: 0...3) {
            case 0, 1:
                let number = timers.count
                let deadline = sample.int64(in: 0...20)
                timers.append(queue.add(at: MonotonicInstant(nanoseconds: deadline)) { fired.append(number) })
                naive.waiting.append((deadline, number))
            case 2 where !timers.isEmpty:
                // Timers that have fired or were cancelled may be cancelled too.
                let number = sample.int(in: 0...timers.count - 1)
                queue.cancel(timers[number])
                naive.waiting.removeAll { $0.number == number }
            default:
                let now = sample.int64(in: 0...25)
                while let action = queue.popDue(at: MonotonicInstant(nanoseconds: now)) {
                    action()
                    try sample.check(fired.last, is: naive.takeDue(at: now), "the timer that fired at \(now)")
                }
                try sample.check(naive.takeDue(at: now), is: nil, "a timer that should have fired at \(now)")
            }
            try sample.check(
                queue.nextDeadline?.nanoseconds, is: naive.waiting.map(\.deadline).min(), "the next deadline")
        }
    }
}

@Test func `timers of the same moment fire in the order in which they were set`() {
    var queue = TimerQueue()
    var fired: [Int] = []
    for number in 0..<1_000 { _ = queue.add(at: MonotonicInstant(nanoseconds: 7)) { fired.append(number) } }
    while let action = queue.popDue(at: MonotonicInstant(nanoseconds: 7)) { action() }
    #expect(fired == Array(0..<1_000))
}

@Test func `a cancelled timer lets go of what it held`() {
    final class Held {}
    var queue = TimerQueue()
    var held: Held? = Held()
    weak let trace = held
    let timer = queue.add(at: MonotonicInstant(nanoseconds: 7)) { [held] in _ = held }
    held = nil
    #expect(trace != nil)
    queue.cancel(timer)
    #expect(trace == nil)
}
