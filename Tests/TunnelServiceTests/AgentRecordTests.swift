import TestSupport
import Testing
import TunnelDomain
import TunnelService

struct AgentRecordTests {
    @Test func `hello and loss are remembered with their moments`() async throws {
        let harness = try await ServiceHarness()
        let tunnel = try await harness.create("my-agent").snapshot.tunnel
        let hello = harness.clock.now + .seconds(1)
        let loss = harness.clock.now + .seconds(2)
        try await RecordAgentConnected(ports: harness.ports)(tunnel.id, from: "2001:db8::7", at: hello)
        try await RecordAgentDisconnected(ports: harness.ports)(tunnel.id, at: loss)
        let kept = try #require(harness.store.contents.tunnels[tunnel.id])
        #expect(kept.lastConnectedAt == hello)
        #expect(kept.lastConnectedAddress == "2001:db8::7")
        #expect(kept.lastDisconnectedAt == loss)
        #expect(kept.updatedAt == tunnel.updatedAt, "a connection is no change of the tunnel")
        #expect(harness.events.changes == [.created])
    }

    @Test func `an unknown tunnel is nobody's fault`() async throws {
        let harness = try await ServiceHarness()
        let id = TunnelID(UUIDValue(high: 1, low: 2))
        try await RecordAgentConnected(ports: harness.ports)(id, from: "192.0.2.1", at: harness.clock.now)
        try await RecordAgentDisconnected(ports: harness.ports)(id, at: harness.clock.now)
        #expect(harness.store.contents.tunnels.isEmpty)
    }

    @Test func `the edge starts with every tunnel that is not deleted, pending ones included`() async throws {
        let harness = try await ServiceHarness()
        var ids: [TunnelID] = []
        for name in ["active", "pending", "expired", "forced"] { ids.append(try await harness.create(name).snapshot.tunnel.id) }
        try await harness.delete(ids[2])
        harness.clock.advance(by: .hours(12))
        try await harness.delete(ids[1])
        try await harness.delete(ids[3])
        try await harness.forceDelete(ids[3])
        harness.clock.advance(by: .hours(12))
        let routes = try await LoadRoutes(ports: harness.ports)()
        #expect(Set(routes.map(\.id)) == [ids[0], ids[1]])
    }
}
