internal import HTTPTransport
internal import Testing
internal import TunnelAgent
internal import TunnelWire

/// What goes wrong on either side, and who is told.
@Suite(.timeLimit(.minutes(5)))
struct FailureTests {
    @Test func `a target that nobody listens on is a 502 with a reason, and a line that says what to do`() async throws {
        let closed = try LocalTarget.closedPort()
        var test = try await AgentUnderTest.connected(serving: .target(AgentTarget(validating: "127.0.0.1:\(closed)")))
        test.edge.send("r1", "GET", "/")
        let reply = try await test.reply("r1")
        #expect(reply.status == "502")
        #expect(reply.fields.contains("inkbox-reason: target-unreachable"))
        let report = try await test.report()
        #expect(report.status == 502)
        #expect(report.problem == "nothing listens on http://127.0.0.1:\(closed); start the program there")
        _ = await test.stop()
    }

    @Test(arguments: ["/a/../b", "/%2e%2E/etc", "/a%2fb", "/%252e%252e/", "/a\\b"])
    func `a path that leaves its folder never reaches the target`(path: String) async throws {
        var test = try await AgentUnderTest.connected()
        test.edge.send("r1", "GET", path)
        test.edge.send("r2", "GET", "/no-content?../ok")
        let reply = try await test.reply("r1")
        #expect(reply.status == "400")
        #expect(reply.fields.contains("inkbox-reason: unsafe-path"))
        try await test.targetEvents.wait(for: .request("GET /no-content?../ok"))
        #expect(!test.targetEvents.seen.contains(.request("GET \(path)")))
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `a third party that went away ends the work at the target`(toPlainServer: Bool)
        async throws
    {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "GET", "/events")
        try await test.edgeEvents.wait(for: .replyBody(id: "r1", byteCount: 9))
        test.edge.resetReply("r1")
        try await test.targetEvents.wait(for: .closed(wasBroken: true))
        let report = try await test.report()
        #expect(report.status == nil)
        #expect(report.problem?.hasPrefix("the third party went away") == true)
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `an upload that breaks off ends the work at the target`(toPlainServer: Bool)
        async throws
    {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "POST", "/hang", fields: [("content-length", "100")], body: [1, 2, 3], isEnd: false)
        try await test.targetEvents.wait(for: .requestBody(byteCount: 3))
        test.edge.resetIntake("r1")
        try await test.targetEvents.wait(for: .closed(wasBroken: true))
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `a cancellation that comes with another intake ends the work at the target`(
        toPlainServer: Bool
    ) async throws {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "GET", "/hang")
        try await test.targetEvents.wait(for: .request("GET /hang"))
        var fields = HTTPFields()
        fields.append("inkbox-request-id", "r1")
        fields.append("inkbox-route-kind", "cancel")
        test.edge.give("cancel", HTTPResponseHead(status: 200, fields: fields))
        try await test.targetEvents.wait(for: .closed(wasBroken: true))
        #expect(try await test.report().problem == "the third party went away")
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `a lost connection ends the work at the target, and the agent comes back`(
        toPlainServer: Bool
    ) async throws {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "GET", "/hang")
        try await test.targetEvents.wait(for: .request("GET /hang"))
        test.edge.dropConnections()
        try await test.targetEvents.wait(for: .closed(wasBroken: true))
        try await test.agentEvents.next {
            if case .reconnecting(let pause, _) = $0, pause <= .milliseconds(1_250) { () } else { nil }
        }
        try await test.agentEvents.wait(for: .connected(publicURL: "https://my-agent.tunnels.test"))
        test.edge.send("r2", "GET", "/no-content")
        #expect(try await test.reply("r2").status == "204")
        _ = await test.stop()
    }

    @Test(arguments: [401, 403])
    func `a refused credential ends the agent`(status: Int) async throws {
        let edge = try await ScriptedEdge()
        edge.answerHello(status: status, body: #"{"detail":"wrong"}"#)
        let test = try await AgentUnderTest.started(edge: edge)
        #expect(await test.run.value == .refused(status: status, reason: "wrong"))
    }

    @Test func `a hello that lost against a later one ends the agent`() async throws {
        let edge = try await ScriptedEdge()
        edge.answerHello(status: 409, body: #"{"reason":"hello-superseded"}"#)
        let test = try await AgentUnderTest.started(edge: edge)
        #expect(await test.run.value == .superseded)
    }

    @Test func `any other answer to hello is tried again`() async throws {
        let edge = try await ScriptedEdge()
        edge.answerHello(status: 500)
        var test = try await AgentUnderTest.started(edge: edge)
        let reason = try await test.agentEvents.next { if case .reconnecting(_, let reason) = $0 { reason } else { nil } }
        #expect(reason == "the server answered hello with 500")
        #expect(await test.stop() == .requested)
    }

    @Test func `an agent that another one replaced stops for good`() async throws {
        let test = try await AgentUnderTest.connected()
        test.edge.goAway(0x1201, #"{"reason":"superseded"}"#)
        #expect(await test.run.value == .superseded)
    }

    @Test func `an intake that says superseded stops the agent too`() async throws {
        let test = try await AgentUnderTest.connected()
        var fields = HTTPFields()
        fields.append("inkbox-reason", "intake-superseded")
        test.edge.give("x", HTTPResponseHead(status: 409, fields: fields))
        #expect(await test.run.value == .superseded)
    }

    @Test func `an intake that idled is parked again`() async throws {
        var test = try await AgentUnderTest.connected(poolSize: 2)
        try await test.edgeEvents.wait(for: .parked)
        try await test.edgeEvents.wait(for: .parked)
        test.edge.give("idle", HTTPResponseHead(status: 204))
        try await test.edgeEvents.wait(for: .parked)
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `a server that drains keeps its replies and gets a new connection at once`(
        toPlainServer: Bool
    ) async throws {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "GET", "/events")
        try await test.edgeEvents.wait(for: .replyBody(id: "r1", byteCount: 9))
        test.edge.goAway(0, #"{"reason":"drain"}"#)
        try await test.agentEvents.wait(for: .handingOver(reason: "drain"))
        try await test.agentEvents.wait(for: .connected(publicURL: "https://my-agent.tunnels.test"))
        test.target.finishEvents()
        try await test.edgeEvents.wait(for: .replyEnded(id: "r1"))
        test.edge.send("r2", "GET", "/no-content")
        try await test.edgeEvents.wait(for: .replyEnded(id: "r2"))
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `a response that begins after the drain goes over the new connection`(
        toPlainServer: Bool
    ) async throws {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "GET", "/hang")
        try await test.targetEvents.wait(for: .request("GET /hang"))
        test.edge.goAway(0, #"{"reason":"drain"}"#)
        try await test.agentEvents.wait(for: .handingOver(reason: "drain"))
        test.target.closeConnections()
        #expect(try await test.reply("r1").status == "502")
        _ = await test.stop()
    }

    @Test func `stopping waits for what is under way`() async throws {
        var test = try await AgentUnderTest.connected(limits: AgentLimits())
        test.edge.send("r1", "GET", "/events")
        try await test.edgeEvents.wait(for: .replyBody(id: "r1", byteCount: 9))
        test.agent.stop()
        try await test.edgeEvents.wait(for: .intakeReset)
        test.target.finishEvents()
        try await test.edgeEvents.wait(for: .replyEnded(id: "r1"))
        #expect(await test.run.value == .requested)
    }

    @Test(arguments: [("GET", ""), ("POST", "a body")])
    func `a request that passes the goodbye on the way is served`(method: String, body: String) async throws {
        var test = try await AgentUnderTest.connected(limits: AgentLimits(), hello: .sharing(2))
        test.edge.sendWhenLeft("r1", method, "/no-content", body: Array(body.utf8))
        test.agent.stop()
        try await test.edgeEvents.wait(for: .left)
        #expect(try await test.reply("r1").status == "204")
        #expect(await test.run.value == .requested)
        #expect(!test.edgeEvents.seen.contains(.intakeReset))
    }

    @Test func `a server that does not take the goodbye gets the intakes back as refused`() async throws {
        var test = try await AgentUnderTest.connected(limits: AgentLimits(), hello: .sharing(1))
        test.edge.answerLeave(status: 503)
        test.agent.stop()
        try await test.edgeEvents.wait(for: .left)
        try await test.edgeEvents.wait(for: .intakeReset)
        #expect(await test.run.value == .requested)
    }

    @Test func `a server that does not answer the goodbye is not waited for`() async throws {
        var limits = AgentLimits()
        limits.leaveSecondsMax = 0
        var test = try await AgentUnderTest.connected(limits: limits, hello: .sharing(1))
        test.edge.answerLeave(status: nil)
        test.agent.stop()
        try await test.edgeEvents.wait(for: .intakeReset)
        #expect(await test.run.value == .requested)
    }

    @Test(arguments: [(.sharing(3), 3), (.plain, nil)] as [(ScriptedEdge.Hello, Int?)])
    func `an agent that shares tells how many do`(hello: ScriptedEdge.Hello, count: Int?) async throws {
        let edge = try await ScriptedEdge()
        edge.answerHello(hello)
        var configuration = edge.configuration()
        configuration.isShared = true
        let agent = TunnelAgent(configuration, serving: .handler { _ in AgentResponse(status: 200) })
        let run = Task { await agent.run() }
        var events = EventReader(agent.events)
        try await events.wait(for: .sharing(agentCount: count))
        agent.stop()
        #expect(await run.value == .requested)
    }

    @Test func `a certificate of a stranger is never spoken to`() async throws {
        let edge = try await ScriptedEdge()
        let stranger = try await ScriptedEdge()
        var configuration = edge.configuration()
        configuration.trust = .authorities(file: stranger.authorityFile)
        let agent = TunnelAgent(configuration, serving: .handler { _ in AgentResponse(status: 200) })
        let run = Task { await agent.run() }
        var events = EventReader(agent.events)
        let reason = try await events.next { if case .reconnecting(_, let reason) = $0 { reason } else { nil } }
        #expect(reason.contains("certificate"))
        agent.stop()
        #expect(await run.value == .requested)
    }

    @Test func `a target on another machine ends the agent before it connects`() async throws {
        let test = try await AgentUnderTest.started(serving: .target(AgentTarget(validating: "http://10.0.0.1:80")))
        guard case .misconfigured(let reason) = await test.run.value else {
            return #expect(Bool(false), "the target was accepted")
        }
        #expect(reason.contains("--allow-remote"))
    }
}
