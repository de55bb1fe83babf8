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

    @Test func `listeners hear who serves, whom they took over from, and the end`() async throws {
        let harness = try await ServiceHarness()
        let id = try await harness.create("my-agent").snapshot.tunnel.id
        let serving = RecordAgentServing(ports: harness.ports)
        try await serving(id, from: "192.0.2.1", supersededAddresses: [])
        try await serving(id, from: "192.0.2.2", supersededAddresses: ["192.0.2.1"])
        try await RecordAgentDisconnected(ports: harness.ports)(id, at: harness.clock.now)
        let events = harness.store.contents.events.dropFirst()
        #expect(
            events.map(\.type) == [.tunnelConnected, .tunnelSuperseded, .tunnelConnected, .tunnelDisconnected])
        #expect(events.allSatisfy { $0.tunnelID == id && $0.organizationID == harness.home.organization.id })
        #expect(events.dropFirst().first?.dataJSON.contains(#""ip":"192.0.2.1","superseded_by_ip":"192.0.2.2""#) == true)
    }

    @Test func `a takeover that is refused is on record`() async throws {
        let harness = try await ServiceHarness()
        let tunnel = try await harness.create("my-agent").snapshot.tunnel
        try await RecordTakeoverRefused(ports: harness.ports)(tunnel.id, from: "192.0.2.3")
        let entry = try #require(harness.store.contents.audit.last?.entry)
        #expect(entry.action == .tunnelSupersede && entry.outcome == .refused)
        #expect(entry.actor == AuditActor(kind: .agent, id: tunnel.id.text, label: "my-agent"))
        #expect(entry.resourceID == tunnel.id.text && entry.ip == "192.0.2.3")
    }

    @Test func `an unknown tunnel is nobody's fault`() async throws {
        let harness = try await ServiceHarness()
        let id = TunnelID(UUIDValue(high: 1, low: 2))
        try await RecordAgentConnected(ports: harness.ports)(id, from: "192.0.2.1", at: harness.clock.now)
        try await RecordAgentDisconnected(ports: harness.ports)(id, at: harness.clock.now)
        try await RecordAgentServing(ports: harness.ports)(id, from: "192.0.2.1", supersededAddresses: ["192.0.2.1"])
        let count = harness.store.contents.audit.count
        try await RecordTakeoverRefused(ports: harness.ports)(id, from: "192.0.2.1")
        #expect(harness.store.contents.audit.count == count)
        #expect(harness.store.contents.tunnels.isEmpty)
        #expect(harness.store.contents.events.isEmpty)
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
