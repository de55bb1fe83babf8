import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelEdge
import TunnelWire

/// One request on its way through the tunnel, where its three streams end in unusual order.
@Suite(.timeLimit(.minutes(5)))
struct ExchangeTests {
    @Test func `an answer that is complete before the request ends both`() async throws {
        try await EdgeFixture.run { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let intake = try await agent.park()
            let third = try await edge.thirdParty().call(
                "POST", "/", host: agent.tunnel.host, body: Array("half".utf8), isWhole: false)
            let id = await intake.requestID()
            #expect(await intake.body(endingWith: "half") == "half")
            #expect(try await agent.reply(id, status: 413, body: "enough").status == 200)
            let answer = await third.answer()
            #expect(answer.status == 413)
            #expect(answer.text == "enough")
            // The agent must not wait for the rest of a body that nobody sends any more.
            #expect(await intake.answer().error == .cancelledByPeer)
        }
    }

    @Test func `an answer that is complete before the request ends both over HTTP/1.1 too`() async throws {
        try await EdgeFixture.run { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let intake = try await agent.park()
            let raw = try await RawThirdParty.connect(to: edge.address, on: edge.clients)
            raw.send("POST / HTTP/1.1\r\nHost: \(agent.tunnel.host)\r\nContent-Length: 100\r\n\r\nhalf")
            let id = await intake.requestID()
            #expect(await intake.body(endingWith: "half") == "half")
            #expect(try await agent.reply(id, status: 413, body: "enough").status == 200)
            #expect(await raw.text(holding: "enough").hasPrefix("HTTP/1.1 413 "))
            #expect(await intake.answer().error == .cancelledByPeer)
        }
    }

    @Test func `an agent that wants no more of the body still answers`() async throws {
        try await EdgeFixture.run { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let intake = try await agent.park()
            let third = try await edge.thirdParty().call(
                "POST", "/", host: agent.tunnel.host, body: [UInt8](repeating: 1, count: 3_000_000))
            let id = await intake.requestID()
            intake.reset()
            #expect(try await agent.reply(id, body: "no thanks").status == 200)
            #expect(await third.answer().text == "no thanks")
        }
    }

    @Test func `an agent that does not consume holds the third party up`() async throws {
        try await EdgeFixture.run { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let intake = try await agent.client.call(
                "POST", "/_system/intake", host: "localhost",
                [("x-tunnel-id", agent.tunnel.id), ("x-owner-token", agent.ownerToken), ("x-pool-slot", "0")], consumes: false)
            let third = try await edge.thirdParty().call(
                "POST", "/", host: agent.tunnel.host, body: [UInt8](repeating: 1, count: 4_000_000))
            let id = await intake.requestID()
            let window = HTTP2Settings().streamWindowByteCount
            await intake.journal.wait { $0.byteCount >= window }
            for _ in 0..<30 { for door in edge.doors + [edge.clients] { try await door.run { _ in } } }
            #expect(intake.journal.all.byteCount == window)
            #expect(try await agent.reply(id, body: "enough").status == 200)
            #expect(await third.answer().text == "enough")
        }
    }

    @Test func `a body that comes while the request waits is not lost`() async throws {
        try await EdgeFixture.run { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let third = try await edge.thirdParty().call(
                "POST", "/", host: agent.tunnel.host, body: Array("early ".utf8), isWhole: false)
            for _ in 0..<10 { for door in edge.doors + [edge.clients] { try await door.run { _ in } } }
            let intake = try await agent.park()
            #expect(await intake.body(endingWith: "early ") == "early ")
            third.write("and late")
            third.finish()
            #expect(await intake.answer().text == "early and late")
        }
    }

    @Test func `a third party that leaves the queue is not handed to anybody`() async throws {
        try await EdgeFixture.run { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let client = try await edge.thirdParty(of: agent.tunnel)
            let first = try await client.call("GET", "/first", host: agent.tunnel.host)
            let second = try await client.call("GET", "/second", host: agent.tunnel.host)
            first.reset()
            _ = await first.answer()
            for _ in 0..<10 { for door in edge.doors + [edge.clients] { try await door.run { _ in } } }
            let intake = try await agent.park()
            #expect(await intake.head()?.fields.first(named: "inkbox-path") == "/second")
            #expect(try await agent.reply(await intake.requestID()).status == 200)
            #expect(await second.answer().status == 200)
        }
    }

    @Test func `a third party that closes its connection cancels the work at the agent`() async throws {
        try await EdgeFixture.run { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel(), features: "cancel")
            let intake = try await agent.park()
            let raw = try await RawThirdParty.connect(to: edge.address, on: edge.clients)
            raw.send("GET / HTTP/1.1\r\nHost: \(agent.tunnel.host)\r\n\r\n")
            let id = await intake.requestID()
            raw.close()
            let next = try await agent.park()
            let envelope = try #require(await next.head())
            #expect(envelope.fields.first(named: "inkbox-route-kind") == "cancel")
            #expect(envelope.fields.first(named: "inkbox-request-id") == id)
        }
    }

    @Test func `an agent that did not name the feature hears no cancellation`() async throws {
        try await EdgeFixture.run { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let intake = try await agent.park()
            let third = try await edge.thirdParty().call("GET", "/1", host: agent.tunnel.host)
            let id = await intake.requestID()
            let next = try await agent.park()
            third.reset()
            _ = await third.answer()
            let second = try await edge.thirdParty().call("GET", "/2", host: agent.tunnel.host)
            #expect(await next.head()?.fields.first(named: "inkbox-path") == "/2")
            #expect(try await agent.reply(await next.requestID()).status == 200)
            #expect(await second.answer().status == 200)
            #expect(try await agent.reply(id).status == 410)
        }
    }

    @Test func `a cancelled upload is broken off at the agent`() async throws {
        try await EdgeFixture.run { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let intake = try await agent.park()
            let third = try await edge.thirdParty().call(
                "POST", "/", host: agent.tunnel.host, body: Array("half".utf8), isWhole: false)
            #expect(await intake.body(endingWith: "half") == "half")
            third.reset()
            let answer = await intake.answer()
            #expect(answer.error == .cancelledByPeer)
            #expect(!intake.journal.all.hasEnd)
        }
    }

    @Test func `one connection may ask for tunnels of all loops, one after the other and all at once`() async throws {
        try await EdgeFixture.run { edge in
            var agents: [TestAgent] = []
            for number in 0..<6 { agents.append(try await edge.agent(of: try await edge.createTunnel("agent-\(number)"))) }
            func request(_ agent: TestAgent) -> String { "GET / HTTP/1.1\r\nHost: \(agent.tunnel.host)\r\n\r\n" }
            let raw = try await RawThirdParty.connect(to: edge.address, on: edge.clients)
            for (number, agent) in agents.enumerated() {
                let intake = try await agent.park()
                raw.send(request(agent))
                _ = try await agent.reply(await intake.requestID(), body: "<\(number)>")
                #expect(await raw.text(holding: "<\(number)>").contains("<\(number)>"))
            }
            var intakes: [Call] = []
            for agent in agents { intakes.append(try await agent.park()) }
            raw.send(agents.map(request).joined())
            for (number, agent) in agents.enumerated() {
                _ = try await agent.reply(await intakes[number].requestID(), body: "[\(number)]")
            }
            let text = await raw.text(holding: "[5]")
            #expect(text.ranges(of: "HTTP/1.1 200 OK").count == 12)
            let bodies = text.matches(of: /\[(\d)\]/).map { String($0.1) }
            #expect(bodies == ["0", "1", "2", "3", "4", "5"])
        }
    }

    @Test func `a whole answer leaves nothing behind`() async throws {
        try await EdgeFixture.run { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let client = try await edge.thirdParty()
            // More than are remembered as answered.
            for number in 0..<100 {
                let intake = try await agent.park()
                let third = try await client.call("POST", "/\(number)", host: agent.tunnel.host, body: Array("\(number)".utf8))
                _ = try await agent.reply(await intake.requestID(), body: "\(number)")
                #expect(await third.answer().text == "\(number)")
                #expect(await intake.answer().text == "\(number)")
            }
            #expect(try await edge.isQuiet())
        }
    }
}

extension EdgeFixture {
    /// Whether no loop has a request under way.
    fileprivate func isQuiet() async throws -> Bool {
        for door in doors {
            guard try await door.run({ loop in EdgeFront.resident(of: loop)?.isQuiet ?? true }) else { return false }
        }
        return true
    }
}
