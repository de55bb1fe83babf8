import TestSupport
import Testing
import TunnelDomain
import TunnelService

struct UpkeepTests {
    @Test func `a sweep writes down what time has done and forgets what counts no more`() async throws {
        let harness = try await ServiceHarness()
        let old = try await harness.create("old").snapshot.tunnel.id
        try await harness.delete(old)
        harness.clock.advance(by: .hours(24) - .microseconds(1))
        let new = try await harness.create("new").snapshot.tunnel.id
        let sweep = SweepExpired(ports: harness.ports, rules: harness.rules)
        #expect(try await sweep() == 0)
        #expect(harness.store.contents.successes.count == 2)

        harness.clock.advance(by: .microseconds(1))
        #expect(try await sweep() == 1)
        #expect(harness.store.contents.tunnels[old]?.storedState.status == .deleted)
        #expect(harness.store.contents.tunnels[new]?.storedState.status == .active)
        #expect(harness.store.contents.successes.count == 1)
        #expect(harness.events.changes.last == .deleted)
        #expect(try await sweep() == 0)
    }

    @Test func `more tunnels than fit into one transaction are all swept`() async throws {
        let harness = try await ServiceHarness()
        let count = 2 * SweepExpired.batchTunnelCountMax + 1
        for number in 0..<count {
            var tunnel = try Tunnel.create(
                id: TunnelID(UUIDValue(high: 1, low: UInt64(number))), organizationID: harness.home.organization.id,
                name: TunnelName(validating: "agent-\(number)"), connectSecretHash: [1], at: harness.clock.now)
            _ = try tunnel.delete(at: harness.clock.now)
            let deleted = tunnel
            harness.store.arrange { $0.tunnels[deleted.id] = deleted }
        }
        harness.clock.advance(by: .hours(24))
        #expect(try await SweepExpired(ports: harness.ports, rules: harness.rules)() == count)
    }

    @Test func `an expired key is written down as ended, and its connections hear of it`() async throws {
        let harness = try await ServiceHarness()
        let end = harness.clock.now + .hours(1)
        let count = SweepExpired.batchKeyCountMax + 1
        for number in 0..<count {
            _ = harness.arrangeIdentityKey(IdentityID(UUIDValue(high: 1, low: UInt64(number))))
            harness.store.arrange { $0.apiKeys[$0.apiKeys.count - 1].expiresAt = end }
        }
        let sweep = SweepExpired(ports: harness.ports, rules: harness.rules)
        harness.clock.advance(by: .hours(1) - .microseconds(1))
        try await sweep()
        #expect(harness.events.endedKeys.isEmpty)
        harness.clock.advance(by: .microseconds(1))
        try await sweep()
        #expect(harness.events.endedKeys.count == count)
        let keys = harness.store.contents.apiKeys.filter { $0.scopedIdentityID != nil }
        #expect(keys.allSatisfy { $0.revokedAt == end && $0.standing(at: end) == .expired })
        #expect(harness.store.contents.audit.filter { $0.entry.action == .keyExpire }.count == count)
        #expect(harness.store.contents.events.filter { $0.type == .keyRevoked }.count == count)
        try await sweep()
        #expect(harness.events.endedKeys.count == count, "once")
    }

    @Test func `kept answers go after a day and not before`() async throws {
        let harness = try await ServiceHarness()
        let row = ReplayRecord(
            organizationID: harness.home.organization.id, key: "k", fingerprint: [1], status: 201, sealedBody: [2],
            createdAt: harness.clock.now)
        harness.store.arrange { $0.replays = [row] }
        let sweep = SweepExpired(ports: harness.ports, rules: harness.rules)
        harness.clock.advance(by: .hours(24) - .microseconds(1))
        try await sweep()
        #expect(harness.store.contents.replays == [row])
        harness.clock.advance(by: .microseconds(1))
        try await sweep()
        #expect(harness.store.contents.replays.isEmpty)
    }

    @Test func `a name that time has freed is written down as free by whoever takes it`() async throws {
        let harness = try await ServiceHarness()
        let old = try await harness.create("my-agent").snapshot.tunnel.id
        try await harness.delete(old)
        harness.clock.advance(by: .hours(24))
        let new = try await harness.create("my-agent").snapshot.tunnel.id
        #expect(harness.store.contents.tunnels[old]?.storedState.status == .deleted)
        #expect(harness.events.all.suffix(2).map(\.change) == [.deleted, .created])
        #expect(harness.events.all.suffix(2).map(\.tunnel.id) == [old, new])
    }
}
