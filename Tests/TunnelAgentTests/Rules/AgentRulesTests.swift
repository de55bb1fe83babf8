internal import Foundation
internal import Testing
internal import TunnelAgent

/// Rules at the agent, seen from both ends.
@Suite(.timeLimit(.minutes(5)))
struct AgentRulesTests {
    private func basic(_ text: String) -> (String, String) {
        ("authorization", "Basic " + Data(text.utf8).base64EncodedString())
    }

    @Test func `fields are edited on the way to the target and back`() async throws {
        var rules = AgentRules()
        try rules.removeRequestField("X-Debug")
        try rules.addRequestField("x-env", "staging")
        try rules.removeResponseField("set-cookie")
        try rules.addResponseField("x-served-by", "me")
        var test = try await AgentUnderTest.connected(rules: rules)
        test.edge.send("r1", "GET", "/fields", fields: [("x-debug", "1"), ("accept", "*/*")])
        let fields = try await test.targetEvents.next { if case .fields(let fields) = $0 { fields } else { nil } }
        #expect(fields.contains("x-env: staging") && fields.contains("accept: */*"))
        #expect(!fields.contains { $0.hasPrefix("x-debug") })
        test.edge.send("r2", "GET", "/two-cookies")
        let reply = try await test.reply("r2")
        #expect(reply.fields.contains("x-served-by: me") && !reply.fields.contains { $0.hasPrefix("set-cookie") })
        _ = await test.stop()
    }

    @Test func `who is not in the list gets 403, and the target nothing`() async throws {
        var rules = AgentRules()
        try rules.allow(addresses: "198.51.100.0/24")
        var test = try await AgentUnderTest.connected(rules: rules)
        test.edge.send("r1", "GET", "/hang", fields: [("accept", "text/html")])
        let reply = try await test.reply("r1")
        #expect(reply.status == "403" && reply.fields.contains("inkbox-reason: address-not-allowed"))
        #expect(reply.fields.contains("content-type: text/html; charset=utf-8"))
        #expect(try await test.report().problem == "refused: address-not-allowed")
        _ = await test.stop()
        #expect(!test.targetEvents.seen.contains(.request("GET /hang")))
    }

    @Test func `the refusal may have words of its own`() async throws {
        var rules = AgentRules()
        try rules.allow(addresses: "198.51.100.7")
        rules.refusal = try AgentRefusal(status: 404, text: "Nothing here.")
        var test = try await AgentUnderTest.connected(rules: rules)
        test.edge.send("r1", "GET", "/")
        let reply = try await test.reply("r1")
        #expect(reply.status == "404" && reply.bodyByteCount == 13)
        _ = await test.stop()
    }

    @Test func `a password is asked for, checked, and not passed on`() async throws {
        var rules = AgentRules()
        try rules.require(user: "ops", password: "correct horse")
        // printf %s 'dev:battery' | sha256sum
        try rules.require(digest: "1D1F2449F234AD016C2244F0A548E5A6E69B87256018C4FD2A0CCA2731AE6B75")
        var test = try await AgentUnderTest.connected(rules: rules)
        test.edge.send("r1", "GET", "/fields")
        let missing = try await test.reply("r1")
        #expect(missing.status == "401" && missing.fields.contains(#"www-authenticate: Basic realm="tunnel", charset="UTF-8""#))
        test.edge.send("r2", "GET", "/fields", fields: [basic("ops:wrong")])
        #expect(try await test.reply("r2").status == "401")
        test.edge.send("r3", "GET", "/fields", fields: [basic("ops:correct horse"), ("accept", "*/*")])
        let fields = try await test.targetEvents.next { if case .fields(let fields) = $0 { fields } else { nil } }
        #expect(fields.contains("accept: */*") && !fields.contains { $0.hasPrefix("authorization") })
        test.edge.send("r4", "GET", "/fields", fields: [basic("dev:battery")])
        #expect(try await test.reply("r4").status == "200")
        _ = await test.stop()
    }

    @Test func `a WebSocket passes the same door`() async throws {
        var rules = AgentRules()
        try rules.require(user: "ops", password: "x")
        var test = try await AgentUnderTest.connected(rules: rules)
        test.edge.sendUpgrade("r1", webSocketID: "w1")
        #expect(try await test.reply("r1").status == "401")
        _ = await test.stop()
    }

    @Test(arguments: [("rewrite", "127.0.0.1"), ("preserve", "my-agent.tunnels.test"), ("app.internal:80", "app.internal:80")])
    func `the target sees the Host that was chosen`(choice: String, host: String) async throws {
        var rules = AgentRules()
        rules.hostHeader = try AgentHostHeader(validating: choice)
        var test = try await AgentUnderTest.connected(rules: rules)
        test.edge.send("r1", "GET", "/host")
        let seen = try await test.targetEvents.next { if case .host(let host) = $0 { host } else { nil } }
        #expect(choice == "rewrite" ? seen == "\(host):\(test.target.port)" : seen == host)
        _ = await test.stop()
    }

    @Test func `a path of the target is put before that of the request`() async throws {
        let target = try await LocalTarget()
        let work = AgentWork.target(try AgentTarget(validating: "http://127.0.0.1:\(target.port)/base/"))
        let test = try await AgentUnderTest.connected(serving: work)
        var events = EventReader(target.events)
        test.edge.send("r1", "GET", "/x?y=1")
        try await events.wait(for: .request("GET /base/x?y=1"))
        _ = await test.stop()
    }

    @Test(arguments: ["192.0.2.1/24", "192.0.2.0/33", "::/129", "localhost", "", "1.2.3"])
    func `a range that is none is told`(text: String) {
        var rules = AgentRules()
        #expect(throws: AgentRuleError.self) { try rules.allow(addresses: text) }
    }

    @Test(arguments: ["", "abc", "a b", "http://x", "x:0", "x\r\ny"])
    func `bad values are told`(text: String) {
        var rules = AgentRules()
        #expect(throws: AgentRuleError.self) { try rules.require(digest: text) }
        if text != "abc" { #expect(throws: AgentRuleError.self) { try AgentHostHeader.fixed(text) } }
        #expect(throws: AgentRuleError.self) { try rules.require(user: "a:b", password: "x") }
        #expect(throws: AgentRuleError.self) { try rules.require(user: "a", password: "") }
        #expect(throws: AgentRuleError.self) { try AgentRefusal(status: 200, text: text) }
    }
}
