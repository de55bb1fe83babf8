internal import HTTPTransport
internal import Testing
@testable import TunnelAgent

/// Requests to a target that speaks HTTP/2 without TLS, and trailers to targets of both versions.
@Suite(.timeLimit(.minutes(5)))
struct StreamOriginTests {
    /// An agent before its target as one that speaks HTTP/2.
    private static func connected(
        limits: AgentLimits = AgentUnderTest.impatient, rules: AgentRules = AgentRules(), isHTTP2: Bool = true
    ) async throws -> AgentUnderTest {
        let target = try await LocalTarget()
        let text = (isHTTP2 ? "h2c" : "http") + "://127.0.0.1:\(target.port)"
        var test = try await AgentUnderTest.connected(
            limits: limits, serving: .target(AgentTarget(validating: text)), rules: rules)
        test.target = target
        test.targetEvents = EventReader(target.events)
        return test
    }

    @Test(arguments: [0, 1, 100, 16_384, 300_000, 3_000_000], [true, false])
    func `a body goes there and comes back whole`(byteCount: Int, hasLength: Bool) async throws {
        var test = try await Self.connected()
        let body = [UInt8](repeating: 0x61, count: byteCount)
        let fields = hasLength ? [("content-length", "\(byteCount)")] : []
        test.edge.send("r1", "POST", "/echo", fields: fields, body: body)
        let reply = try await test.reply("r1")
        #expect(reply.status == "200")
        #expect(reply.contentLength == (hasLength ? "\(byteCount)" : nil))
        #expect(reply.bodyByteCount == byteCount)
        _ = await test.stop()
    }

    @Test func `both bodies are on their way at once`() async throws {
        var test = try await Self.connected()
        test.edge.send("r1", "POST", "/echo", isEnd: false)
        _ = try await test.edgeEvents.next { if case .reply("r1", _, _, _) = $0 { true } else { nil } }
        test.edge.sendMore("r1", Array("one".utf8), isEnd: false)
        try await test.edgeEvents.wait(for: .replyBody(id: "r1", byteCount: 3))
        test.edge.sendMore("r1", Array("three".utf8), isEnd: true)
        try await test.edgeEvents.wait(for: .replyBody(id: "r1", byteCount: 5))
        try await test.edgeEvents.wait(for: .replyEnded(id: "r1"))
        _ = await test.stop()
    }

    @Test(arguments: [true, false]) func `trailers travel both ways, but for what the rules take out`(isHTTP2: Bool)
        async throws
    {
        var rules = AgentRules()
        try rules.removeResponseField("x-secret")
        try rules.removeRequestField("x-hidden")
        var test = try await Self.connected(rules: rules, isHTTP2: isHTTP2)
        test.edge.send("r1", "POST", "/trailers", isEnd: false)
        test.edge.sendMore("r1", Array("body".utf8), isEnd: false)
        test.edge.finish("r1", trailers: [("x-up", "1"), ("x-hidden", "2"), ("set-cookie", "a=1")])
        try await test.targetEvents.wait(for: .trailers(["x-up: 1"]))
        try await test.edgeEvents.wait(for: .replyTrailers(id: "r1", ["x-sum: 7"]))
        _ = await test.stop()
    }

    @Test(arguments: [true, false]) func `a server that knows no trailers gets none`(isHTTP2: Bool) async throws {
        var test = try await Self.connected(isHTTP2: isHTTP2)
        test.edge.answerHello(.plain)
        test.edge.dropConnections()
        try await test.agentEvents.wait(for: .connected(publicURL: "https://my-agent.tunnels.test"))
        test.edge.send("r1", "POST", "/trailers", fields: [("te", "trailers")], body: Array("body".utf8))
        try await test.targetEvents.wait(for: .trailers([]))
        try await test.edgeEvents.wait(for: .replyEnded(id: "r1"))
        #expect(!test.edgeEvents.seen.contains { if case .replyTrailers = $0 { true } else { false } })
        _ = await test.stop()
    }

    @Test(arguments: [true, false], [true, false])
    func `the target learns who takes trailers`(isHTTP2: Bool, takes: Bool) async throws {
        var test = try await Self.connected(isHTTP2: isHTTP2)
        test.edge.send("r1", "GET", "/fields", fields: takes ? [("te", "trailers")] : [])
        let fields = try await test.targetEvents.next { if case .fields(let fields) = $0 { fields } else { nil } }
        #expect(fields.contains("te: trailers") == takes)
        #expect(fields.contains("connection: te") == (takes && !isHTTP2))
        _ = await test.stop()
    }

    @Test func `two hundred requests share a few connections`() async throws {
        var test = try await Self.connected()
        for number in 0..<200 { test.edge.send("r\(number)", "GET", "/events") }
        var begun = 0
        try await test.edgeEvents.next { event in
            if case .replyBody = event { begun += 1 }
            return begun == 200 ? () : nil
        }
        test.target.finishEvents()
        var ended = 0
        try await test.edgeEvents.next { event in
            if case .replyEnded = event { ended += 1 }
            return ended == 200 ? () : nil
        }
        test.edge.send("last", "GET", "/hang")
        try await test.targetEvents.wait(for: .request("GET /hang"))
        #expect(test.targetEvents.seen.count { $0 == .connectionOpened } == 1)
        _ = await test.stop()
    }

    @Test func `a connection that the target closed is replaced`() async throws {
        var test = try await Self.connected()
        test.edge.send("r1", "GET", "/no-content")
        try await test.edgeEvents.wait(for: .replyEnded(id: "r1"))
        test.target.closeConnections()
        test.edge.send("r2", "GET", "/no-content")
        #expect(try await test.reply("r2").status == "204")
        _ = await test.stop()
    }

    @Test func `a request that the target refuses unread is sent again, body and all`() async throws {
        var test = try await Self.connected()
        test.edge.send("r1", "POST", "/refused", body: Array("body".utf8))
        let reply = try await test.reply("r1")
        #expect(reply.status == "200" && reply.bodyByteCount == 4)
        _ = await test.stop()
    }

    @Test func `a third party that does not read holds its request up and no other`() async throws {
        var test = try await Self.connected()
        test.edge.takeReplies(false)
        test.edge.send("r1", "GET", "/flood")
        test.edge.send("r2", "GET", "/no-content")
        try await test.edgeEvents.wait(for: .replyEnded(id: "r2"))
        test.edge.takeReplies(true)
        var received = 0
        for event in test.edgeEvents.seen { if case .replyBody("r1", let count) = event { received += count } }
        #expect(received < 2 * 1024 * 1024, "\(received) bytes came although nobody took any")
        try await test.edgeEvents.next { event in
            if case .replyBody("r1", let count) = event { received += count }
            return event == .replyEnded(id: "r1") ? () : nil
        }
        #expect(received == 8 * 1024 * 1024)
        _ = await test.stop()
    }

    @Test func `the end of the third party is the end of the target's work, on that stream only`() async throws {
        var test = try await Self.connected()
        test.edge.send("r1", "GET", "/hang")
        try await test.targetEvents.wait(for: .request("GET /hang"))
        test.edge.resetIntake("r1")
        try await test.targetEvents.wait(for: .closed(wasBroken: true))
        test.edge.send("r2", "GET", "/no-content")
        #expect(try await test.reply("r2").status == "204")
        #expect(test.targetEvents.seen.count { $0 == .connectionOpened } == 1)
        _ = await test.stop()
    }

    @Test func `nobody at home is told as for any target`() async throws {
        let nowhere = "h2c+unix:/culvert/no-such.sock"
        var test = try await AgentUnderTest.connected(serving: .target(AgentTarget(validating: nowhere)))
        test.edge.send("r1", "GET", "/")
        #expect(try await test.reply("r1").fields.contains("inkbox-reason: target-unreachable"))
        #expect(try await test.report().problem?.contains("there is no socket \(nowhere)") == true)
        _ = await test.stop()
    }

    @Test func `a call of gRPC gets a status from the agent too`() async throws {
        let nowhere = try AgentTarget(validating: "grpc+unix:/culvert/no-such.sock")
        var test = try await AgentUnderTest.connected(serving: .target(nowhere))
        test.edge.send("r1", "POST", "/x", fields: [("content-type", "application/grpc"), ("te", "trailers")])
        let reply = try await test.reply("r1")
        #expect(reply.status == "200" && reply.bodyByteCount == 0)
        #expect(reply.fields.contains("grpc-status: 14") && reply.fields.contains("inkbox-reason: target-unreachable"))
        _ = await test.stop()
    }
}
