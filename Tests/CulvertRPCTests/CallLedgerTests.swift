import TestSupport
import Testing
import TunnelWire

@testable import culvert_rpc

struct CallLedgerTests {
    private func ledger(calls: Int = 2, waits: Int = 1, queued: Int = 2, held: Int = 1000) -> CallLedger {
        CallLedger(callCountMax: calls, waitCountMax: waits, queuedCountMax: queued, heldByteCountMax: held)
    }

    @Test func `what waits may hold so many bytes, and not one more`() {
        var ledger = ledger(calls: 1, waits: 1, queued: 5, held: 100)
        #expect(ledger.admit(.number("1"), lane: .call, byteCount: 5000) == .start(1), "what runs is not counted")
        #expect(ledger.admit(.number("2"), lane: .call, byteCount: 60) == .queue(2))
        guard case .refuse(let why) = ledger.admit(.number("3"), lane: .wait, byteCount: 41) else {
            Issue.record("more is held than the limit says")
            return
        }
        #expect(why.contains("queued-bytes"))
        #expect(ledger.admit(.number("4"), lane: .wait, byteCount: 40) == .start(3))
        #expect(ledger.ended(3) == nil)
        #expect(ledger.admit(.number("5"), lane: .call, byteCount: 40) == .queue(4))
        #expect(ledger.cancel(.number("5")) == [.queued(4)])
        #expect(ledger.ended(1) == 2)
        #expect(ledger.admit(.number("6"), lane: .call, byteCount: 100) == .queue(5), "all have given back what they held")
    }

    @Test func `what is taken back in line makes room there`() {
        var ledger = ledger(calls: 1, queued: 1)
        _ = ledger.admit(.number("1"), lane: .call, byteCount: 0)
        for number in 2..<100 {
            #expect(ledger.admit(.number("\(number)"), lane: .call, byteCount: 0) == .queue(UInt64(number)))
            #expect(ledger.cancel(.number("\(number)")) == [.queued(UInt64(number))])
        }
        #expect(ledger.queuedCount == 0 && ledger.ended(1) == nil && ledger.isEmpty)
    }

    @Test func `so many run, so many stand in line, and the next is refused`() {
        var ledger = ledger()
        #expect(ledger.admit(.number("1"), lane: .call, byteCount: 0) == .start(1))
        #expect(ledger.admit(.number("2"), lane: .call, byteCount: 0) == .start(2))
        #expect(ledger.admit(.number("3"), lane: .call, byteCount: 0) == .queue(3))
        #expect(ledger.admit(nil, lane: .call, byteCount: 0) == .queue(4))
        guard case .refuse = ledger.admit(.number("5"), lane: .call, byteCount: 0) else {
            Issue.record("the line is longer than its limit")
            return
        }
        #expect(ledger.ended(1) == 3)
        #expect(ledger.admit(.number("6"), lane: .call, byteCount: 0) == .queue(5))
    }

    @Test func `calls that wait for something have places of their own`() {
        var ledger = ledger(calls: 1, waits: 1, queued: 0)
        #expect(ledger.admit(.number("1"), lane: .wait, byteCount: 0) == .start(1))
        #expect(ledger.admit(.number("2"), lane: .call, byteCount: 0) == .start(2))
        guard case .refuse = ledger.admit(.number("3"), lane: .wait, byteCount: 0) else {
            Issue.record("more wait than the limit says")
            return
        }
        #expect(ledger.ended(1) == nil)
        #expect(ledger.admit(.number("4"), lane: .wait, byteCount: 0) == .start(3))
    }

    @Test func `an id means every call that has it`() {
        var ledger = ledger(calls: 1)
        _ = ledger.admit(.string("a"), lane: .call, byteCount: 0)
        _ = ledger.admit(.string("a"), lane: .call, byteCount: 0)
        _ = ledger.admit(.string("b"), lane: .call, byteCount: 0)
        #expect(ledger.cancel(.string("a")) == [.running(1), .queued(2)])
        #expect(ledger.cancel(.string("none")) == [])
        // What was taken back in line is passed over.
        #expect(ledger.ended(1) == 3)
        #expect(ledger.ended(3) == nil && ledger.isEmpty)
    }

    @Test func `a number and a text are two ids`() {
        var ledger = ledger()
        _ = ledger.admit(.number("1"), lane: .call, byteCount: 0)
        #expect(ledger.cancel(.string("1")) == [])
    }

    @Test func `never more run than may, and every admitted call runs once or is taken back`() throws {
        try checkProperty { sample in
            let callCountMax = sample.int(in: 1...3)
            var ledger = CallLedger(callCountMax: callCountMax, waitCountMax: 2, queuedCountMax: 4, heldByteCountMax: 1000)
            var (running, queued, waits) = (Set<CallLedger.Number>(), Set<CallLedger.Number>(), Set<CallLedger.Number>())
            func start(_ number: CallLedger.Number?) throws {
                guard let number else { return }
                try sample.check(queued.remove(number) != nil, "\(number) was not in line")
                running.insert(number)
            }
            for _ in 0..<sample.int(in: 1...30) {
                switch sample.int(in: 0...3) {
                case 0, 1:
                    let lane: CallLedger.Lane = sample.chance(oneIn: 4) ? .wait : .call
                    switch ledger.admit(.number(String(sample.int(in: 0...3))), lane: lane, byteCount: 0) {
                    case .start(let number): if lane == .wait { waits.insert(number) } else { running.insert(number) }
                    case .queue(let number): queued.insert(number)
                    case .refuse: break
                    }
                case 2:
                    guard let number = (running.union(waits)).sorted().first else { continue }
                    running.remove(number)
                    waits.remove(number)
                    try start(ledger.ended(number))
                default:
                    for case .queued(let number) in ledger.cancel(.number(String(sample.int(in: 0...3)))) {
                        queued.remove(number)
                    }
                }
                try sample.check(running.count <= callCountMax && waits.count <= 2, "too many run")
                try sample.check(Set(ledger.all), is: running.union(queued).union(waits), "what is under way")
                try sample.check(queued.isEmpty || running.count == callCountMax, "a call is in line and a place is free")
            }
        }
    }
}
