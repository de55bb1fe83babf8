import TestSupport
import Testing
import TunnelDomain

@testable import TunnelEdge

struct BodyBudgetTests {
    @Test func `nobody takes more than a share, and all together no more than there is`() {
        var budget = BodyBudget(byteCountMax: 100, shareMax: 40)
        func take(_ count: Int, _ sender: Int) -> Bool { budget.take(count, from: AddressGroup("192.0.2.\(sender)")) }
        #expect(take(40, 0))
        #expect(!take(1, 0))
        #expect(!take(41, 1))
        #expect(take(40, 1))
        #expect(take(20, 2))
        #expect(!take(1, 3))
        budget.release(1, of: AddressGroup("192.0.2.0"))
        #expect(take(1, 3))
        #expect(!take(1, 0), "all is taken")
    }

    @Test func `what is given back is there again, to the byte`() throws {
        try checkProperty { sample in
            var budget = BodyBudget(byteCountMax: 50, shareMax: 20)
            var taken: [Int: Int] = [:]
            for _ in 0..<sample.int(in: 1...60) {
                let sender = sample.int(in: 0...4)
                let group = AddressGroup("192.0.2.\(sender)")
                if sample.bool(), let count = taken.removeValue(forKey: sender) {
                    budget.release(count, of: group)
                } else {
                    let count = sample.int(in: 0...25)
                    let fits = taken[sender, default: 0] + count <= 20 && taken.values.reduce(0, +) + count <= 50
                    try sample.check(budget.take(count, from: group), is: fits)
                    if fits { taken[sender, default: 0] += count }
                }
                try sample.check(budget.byteCount, is: taken.values.reduce(0, +))
            }
        }
    }
}
