internal import Testing
internal import TunnelAgent

/// Another target and other rules while requests are under way.
@Suite(.timeLimit(.minutes(5)))
struct ReconfigureTests {
    @Test func `later requests go elsewhere, and one under way goes on`() async throws {
        var test = try await AgentUnderTest.connected()
        let other = try await LocalTarget()
        var otherEvents = EventReader(other.events)
        test.edge.send("r1", "GET", "/events")
        try await test.edgeEvents.wait(for: .replyBody(id: "r1", byteCount: 9))
        var rules = AgentRules()
        try rules.addResponseField("x-new", "1")
        try await test.agent.reconfigure(serving: .target(AgentTarget(validating: "127.0.0.1:\(other.port)")), rules: rules)
        test.edge.send("r2", "GET", "/no-content")
        let reply = try await test.reply("r2")
        #expect(reply.fields.contains("x-new: 1"))
        try await otherEvents.wait(for: .request("GET /no-content"))
        test.target.finishEvents()
        try await test.edgeEvents.wait(for: .replyBody(id: "r1", byteCount: 9))
        try await test.edgeEvents.wait(for: .replyEnded(id: "r1"))
        #expect(await test.stop() == .requested)
        #expect(!test.agentEvents.seen.contains { if case .reconnecting = $0 { true } else { false } })
    }

    @Test func `a target that is not allowed changes nothing`() async throws {
        var test = try await AgentUnderTest.connected()
        await #expect(throws: TargetRefusal.self) {
            try await test.agent.reconfigure(
                serving: .target(AgentTarget(validating: "http://10.0.0.1:80")), rules: AgentRules())
        }
        test.edge.send("r1", "GET", "/no-content")
        #expect(try await test.reply("r1").status == "204")
        _ = await test.stop()
    }
}
