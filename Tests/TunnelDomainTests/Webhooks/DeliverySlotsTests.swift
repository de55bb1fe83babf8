import TestSupport
import Testing
import TunnelDomain

struct DeliverySlotsTests {
    private static func candidate(_ organization: Int, _ subscription: Int) throws -> DeliverySlots.Candidate {
        DeliverySlots.Candidate(
            subscription: UUIDValue(high: UInt64(organization), low: UInt64(subscription)),
            organization: try #require(OrganizationID("org_\(organization)")))
    }

    private static func limits(_ total: Int, _ perOrganization: Int, _ perSubscription: Int) -> DeliverySlots.Limits {
        var limits = DeliverySlots.Limits()
        (limits.total, limits.perOrganization, limits.perSubscription) = (total, perOrganization, perSubscription)
        return limits
    }

    @Test func `each bound holds, and a slot that is free again is given again`() throws {
        var slots = DeliverySlots(limits: Self.limits(5, 3, 2))
        let (a, b, c) = (try Self.candidate(1, 1), try Self.candidate(1, 2), try Self.candidate(2, 1))
        #expect([slots.take(from: [a]), slots.take(from: [a]), slots.take(from: [a])] == [a, a, nil])
        #expect([slots.take(from: [a, b]), slots.take(from: [a, b])] == [b, nil])
        #expect([slots.take(from: [a, b, c]), slots.take(from: [a, b, c]), slots.take(from: [c])] == [c, c, nil])
        #expect(slots.count == 5)
        slots.release(a)
        #expect(slots.take(from: [a, b, c]) != nil)
        #expect(slots.take(from: [] as [DeliverySlots.Candidate]) == nil)
    }

    @Test func `an organization that fills its bound leaves the others theirs`() throws {
        var slots = DeliverySlots(limits: Self.limits(10, 4, 4))
        let greedy = try (1...50).map { try Self.candidate(1, $0) }
        let modest = try Self.candidate(2, 1)
        let taken = (0..<8).compactMap { _ in slots.take(from: greedy + [modest]) }
        #expect(taken.count { $0.organization == modest.organization } == 4)
    }

    /// Random takes and releases: the bounds always hold, and whoever waits is served within a bounded number of turns.
    @Test(arguments: 1...60)
    func `nobody waits for ever`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let limits = Self.limits(
            Int.random(in: 1...8, using: &random), Int.random(in: 1...4, using: &random), Int.random(in: 1...3, using: &random))
        let all = try (1...5).flatMap { organization in try (1...4).map { try Self.candidate(organization, $0) } }
        var slots = DeliverySlots(limits: limits)
        var taken: [DeliverySlots.Candidate] = []
        var waits: [OrganizationID: Int] = [:]
        for _ in 0..<600 {
            if let chosen = slots.take(from: all.shuffled(using: &random)) {
                taken.append(chosen)
                // Who has something under way is being served.
                for organization in Set(all.map(\.organization)) {
                    let isServed = taken.contains { $0.organization == organization }
                    waits[organization] = isServed ? 0 : waits[organization, default: 0] + 1
                }
            }
            let isFull = taken.count >= limits.total
            if isFull || !taken.isEmpty && Bool.random(using: &random) {
                slots.release(taken.remove(at: Int.random(in: taken.indices, using: &random)))
            }
            #expect(slots.count == taken.count && taken.count <= limits.total)
            #expect(Dictionary(grouping: taken, by: \.organization).values.allSatisfy { $0.count <= limits.perOrganization })
            #expect(Dictionary(grouping: taken, by: \.subscription).values.allSatisfy { $0.count <= limits.perSubscription })
            // Each of the four others at most once before it.
            #expect(waits.values.allSatisfy { $0 <= 4 }, "seed \(seed)")
        }
    }
}
