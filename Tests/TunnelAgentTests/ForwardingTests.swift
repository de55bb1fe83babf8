internal import Testing
internal import TunnelAgent

/// Requests through a real connection to a scripted edge, forwarded to a real local server.
@Suite(.timeLimit(.minutes(5)))
struct ForwardingTests {
    @Test func `hello carries the credential, and the pool is parked`() async throws {
        var test = try await AgentUnderTest.connected(poolSize: 2)
        let fields = try await test.edgeEvents.next { if case .hello(let fields) = $0 { fields } else { nil } }
        #expect(fields["x-tunnel-secret"] == "tnl_secret")
        #expect(fields["x-tunnel-id"] == "0b0e7b3e")
        #expect(fields["x-pool-size"] == "2")
        #expect(fields["content-length"] == "0")
        try await test.edgeEvents.wait(for: .parked)
        try await test.edgeEvents.wait(for: .parked)
        #expect(await test.stop() == .requested)
    }

    @Test func `a slot parks again with the reply, or as soon as less than half of the pool is parked`() async throws {
        let edge = try await ScriptedEdge()
        edge.answerHello(status: 200, body: #"{"owner_token":"tok","default_pool_size":4,"features":["replies-on-intake"]}"#)
        var test = try await AgentUnderTest.started(edge: edge)
        for _ in 0..<4 { try await test.edgeEvents.wait(for: .parked) }
        // One that is answered at once: its slot is back after the reply's head.
        test.edge.send("r1", "GET", "/host")
        try await test.edgeEvents.wait(for: .parked)
        // Three that nobody answers: the third leaves one of four parked.
        for id in ["r2", "r3", "r4"] { test.edge.send(id, "GET", "/never") }
        for _ in 0..<3 { try await test.edgeEvents.wait(for: .parked) }
        test.edge.send("r5", "GET", "/host")
        #expect(try await test.reply("r5").status == "200")
        _ = await test.stop()
    }

    @Test(arguments: [0, 1, 100, 16_384, 300_000, 3_000_000])
    func `a body goes there and comes back whole`(byteCount: Int) async throws {
        var test = try await AgentUnderTest.connected()
        let body = [UInt8](repeating: 0x61, count: byteCount)
        test.edge.send("r1", "POST", "/echo", fields: [("content-length", "\(byteCount)")], body: body)
        let reply = try await test.reply("r1")
        #expect(reply.status == "200")
        #expect(reply.bodyByteCount == byteCount)
        let report = try await test.report()
        #expect(report.requestByteCount == byteCount)
        #expect(report.responseByteCount == byteCount)
        #expect(report.status == 200)
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `a body of unknown length is passed on as it comes`(toPlainServer: Bool) async throws {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "POST", "/echo", isEnd: false)
        // The response begins before the request has ended: neither side waits for the other.
        _ = try await test.edgeEvents.next { if case .reply("r1", _, _, _) = $0 { true } else { nil } }
        test.edge.sendMore("r1", Array("one".utf8), isEnd: false)
        try await test.edgeEvents.wait(for: .replyBody(id: "r1", byteCount: 3))
        test.edge.sendMore("r1", Array("three".utf8), isEnd: true)
        try await test.edgeEvents.wait(for: .replyBody(id: "r1", byteCount: 5))
        try await test.edgeEvents.wait(for: .replyEnded(id: "r1"))
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `the target learns who asked, and nothing of the tunnel's own`(toPlainServer: Bool)
        async throws
    {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "GET", "/fields", fields: [("accept", "*/*"), ("x-forwarded-for", "6.6.6.6")])
        let fields = try await test.targetEvents.next { if case .fields(let fields) = $0 { fields } else { nil } }
        let rest = fields.filter { !$0.hasPrefix("host:") }
        #expect(
            rest == [
                "accept: */*", "forwarded: for=192.0.2.7;host=my-agent.tunnels.test;proto=https", "x-forwarded-for: 192.0.2.7",
                "x-forwarded-host: my-agent.tunnels.test", "x-forwarded-proto: https",
            ])
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `repeated fields stay apart, and a forged reason is dropped`(toPlainServer: Bool)
        async throws
    {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "GET", "/two-cookies")
        let reply = try await test.reply("r1")
        #expect(reply.fields.filter { $0.hasPrefix("set-cookie") } == ["set-cookie: a=1", "set-cookie: b=2"])
        #expect(!reply.fields.contains { $0.hasPrefix("inkbox-reason") })
        #expect(reply.contentLength == "2")
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `a response to HEAD keeps its length and carries no body`(toPlainServer: Bool)
        async throws
    {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "HEAD", "/two-cookies")
        let reply = try await test.reply("r1")
        #expect(reply.contentLength == (toPlainServer ? "0" : nil))
        #expect(reply.fields.contains("content-length: 2"))
        #expect(reply.bodyByteCount == 0)
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `a response without content ends at once`(toPlainServer: Bool) async throws {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "DELETE", "/no-content")
        let reply = try await test.reply("r1")
        #expect(reply.status == "204")
        #expect(reply.bodyByteCount == 0)
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `an event leaves before the next one is there`(toPlainServer: Bool) async throws {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "GET", "/events")
        try await test.edgeEvents.wait(for: .replyBody(id: "r1", byteCount: 9))
        test.target.finishEvents()
        try await test.edgeEvents.wait(for: .replyBody(id: "r1", byteCount: 9))
        try await test.edgeEvents.wait(for: .replyEnded(id: "r1"))
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `a third party that does not read holds the target up, not the memory`(
        toPlainServer: Bool
    ) async throws {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.takeReplies(false)
        test.edge.send("r1", "GET", "/flood")
        // Other requests go on while one is stalled.
        test.edge.send("r2", "GET", "/no-content")
        try await test.edgeEvents.wait(for: .replyEnded(id: "r2"))
        test.edge.takeReplies(true)
        let byteCount = 8 * 1024 * 1024
        var received = 0
        for event in test.edgeEvents.seen { if case .replyBody("r1", let count) = event { received += count } }
        #expect(received < byteCount / 4, "\(received) bytes came although nobody took any")
        try await test.edgeEvents.next { event in
            if case .replyBody("r1", let count) = event { received += count }
            return event == .replyEnded(id: "r1") ? () : nil
        }
        #expect(received == byteCount)
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `connections to the target are used again`(toPlainServer: Bool) async throws {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        for number in 1...5 {
            test.edge.send("r\(number)", "GET", "/no-content")
            try await test.edgeEvents.wait(for: .replyEnded(id: "r\(number)"))
        }
        test.edge.send("last", "GET", "/hang")
        try await test.targetEvents.wait(for: .request("GET /hang"))
        #expect(test.targetEvents.seen.count { $0 == .connectionOpened } == 1)
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `a kept connection that the target closed is replaced`(toPlainServer: Bool)
        async throws
    {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
        test.edge.send("r1", "GET", "/no-content")
        try await test.edgeEvents.wait(for: .replyEnded(id: "r1"))
        test.target.closeConnections()
        test.edge.send("r2", "GET", "/no-content")
        #expect(try await test.reply("r2").status == "204")
        _ = await test.stop()
    }

    @Test(arguments: [false, true]) func `two hundred requests are served side by side with a pool of two`(toPlainServer: Bool)
        async throws
    {
        var test = try await AgentUnderTest.connected(toPlainServer: toPlainServer)
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
        _ = await test.stop()
    }
}
