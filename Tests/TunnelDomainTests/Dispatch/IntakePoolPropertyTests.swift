import TestSupport
import Testing
import TunnelDomain

struct IntakePoolPropertyTests {
    @Test func `no sequence of events differs from the naive pool`() throws {
        try checkProperty(cases: 3000) { sample in
            var run = PoolRun()
            run.prefersSharing = sample.bool()
            for _ in 0..<sample.int(in: 0...60) { try run.step(&sample) }
        }
    }

    @Test func `no short sequence from a serving agent differs from the naive pool`() throws {
        try checkProperty(cases: 3000) { sample in
            var limits = PoolRun.tightLimits
            limits.queueMax = sample.int(in: 0...2)
            limits.goneMemoryMax = sample.int(in: 0...2)
            limits.answeredMemoryMax = sample.int(in: 0...2)
            limits.supersedesMax = sample.int(in: 0...2)
            var run = PoolRun(limits: limits)
            for _ in 0..<sample.int(in: 0...30) { try run.step(&sample) }
        }
    }

    @Test func `every request ends exactly once`() throws {
        try checkProperty { sample in
            var run = PoolRun()
            run.prefersSharing = sample.bool()
            for _ in 0..<sample.int(in: 0...60) { try run.step(&sample) }
            // Whatever still waits is ended by time, by losing every agent, or by closing; each run takes one of the ways.
            switch sample.int(in: 0...2) {
            case 0:
                run.naive.now = run.now + .days(1)
                try run.advance(&sample)
            case 1:
                for agent in Set(run.agents) { try run.loseAgent(agent, &sample) }
            default: try run.close(&sample)
            }
            let answering = run.naive.requests.filter { if case .answering = $0.stage { true } else { false } }
            try sample.check(run.open, is: Set(answering.map(\.id)), "what is left open")
        }
    }

    @Test func `nothing happens before the next deadline, and something does at it`() throws {
        try checkProperty { sample in
            var run = PoolRun()
            run.prefersSharing = sample.bool()
            for _ in 0..<sample.int(in: 0...40) { try run.step(&sample) }
            var actions: [IntakePool.Action] = []
            run.pool.advance(to: run.now, into: &actions)
            guard let deadline = run.pool.nextDeadline else { return }
            try sample.check(deadline > run.now, "the deadline has passed and nothing was done")
            actions = []
            run.pool.advance(to: deadline - .nanoseconds(1), into: &actions)
            try sample.check(actions, is: [], "what was done too early")
            run.pool.advance(to: deadline, into: &actions)
            try sample.check(!actions.isEmpty, "nothing was done")
            try sample.check(run.pool.nextDeadline.map { $0 > deadline } ?? true, "the deadline stays")
        }
    }

    @Test func `time that runs backwards counts as standing still`() throws {
        try checkProperty { sample in
            let limits = PoolRun.tightLimits
            var (one, other) = (IntakePool(limits: limits), IntakePool(limits: limits))
            var (now, ignored) = (MonotonicInstant(nanoseconds: 0), [IntakePool.Action]())
            _ = one.agentConnected(1, poolSize: 3, at: now, into: &ignored)
            _ = other.agentConnected(1, poolSize: 3, at: now, into: &ignored)
            for id in 10..<UInt64(sample.int(in: 11...40)) {
                let step = Duration.milliseconds(sample.int(in: -2000...2000))
                if step > .zero { now = now + step }
                let shaky = step > .zero ? now : now + step
                sample.note("\(id) at \(shaky)")
                if sample.bool() {
                    try sample.check(one.requestArrived(id, at: shaky), is: other.requestArrived(id, at: now), "the decision")
                } else {
                    let decision = one.intakeParked(id, by: 1, at: shaky)
                    try sample.check(decision, is: other.intakeParked(id, by: 1, at: now), "the decision")
                }
                try sample.check(one.nextDeadline, is: other.nextDeadline, "the next deadline")
            }
        }
    }
}
