import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelEdge
import TunnelWire

/// The agent's answers (data plane, section 4).
@Suite(.timeLimit(.minutes(5)))
struct ReplyTests {
    /// A request that an agent has taken and not answered.
    private struct Taken {
        var tunnel: TestTunnel
        var agent: TestAgent
        var third: Call
        var id: String
    }

    private static func take(_ edge: EdgeFixture, method: String = "GET", _ fields: [(String, String)] = []) async throws
        -> Taken
    {
        let tunnel = try await edge.createTunnel()
        let agent = try await edge.agent(of: tunnel)
        let intake = try await agent.park()
        let third = try await edge.thirdParty().call(method, "/x", host: tunnel.host, fields)
        return Taken(tunnel: tunnel, agent: agent, third: third, id: await intake.requestID())
    }

    @Test func `head, body and repeated fields come back as the agent gave them`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge)
            let fields = [
                ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-own", "y"), ("connection", "x-hop"), ("x-hop", "1"),
            ]
            #expect(try await taken.agent.reply(taken.id, status: 418, fields, body: "short and stout").status == 200)
            let answer = await taken.third.answer()
            #expect(answer.status == 418)
            #expect(answer.text == "short and stout")
            #expect(answer.fields.pairs.filter { $0.name == "set-cookie" }.map(\.value) == ["a=1", "b=2"])
            #expect(answer["x-own"] == "y")
            #expect(answer["x-hop"] == nil)
            #expect(answer["connection"] == nil)
            #expect(answer.error == nil)
        }
    }

    @Test(arguments: ["a\u{7f}b", "a\u{0}b"])
    func `a reply with a byte that HTTP forbids is a 502 at once`(value: String) async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge)
            let reply = try await taken.agent.beginReply(taken.id, [("x-own", value)], isWhole: true)
            let answer = await taken.third.answer()
            #expect(answer.status == 502)
            #expect(answer.reason == "invalid-reply")
            #expect(await reply.answer().error != nil)
            // It is over: a better reply comes too late.
            #expect(try await taken.agent.reply(taken.id).status == 409)
        }
    }

    @Test func `the body flows as it comes`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge)
            let reply = try await taken.agent.beginReply(taken.id, [("content-type", "text/event-stream")])
            reply.write("data: 1\n\n")
            // The first event is there before the second is made.
            #expect(await taken.third.body(endingWith: "1\n\n") == "data: 1\n\n")
            reply.write("data: 2\n\n")
            #expect(await taken.third.body(endingWith: "2\n\n") == "data: 1\n\ndata: 2\n\n")
            reply.finish()
            #expect(await taken.third.answer().error == nil)
            #expect(await reply.answer().status == 200)
        }
    }

    @Test func `a reply to a request that there is not is refused`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge)
            for id in ["", "x", "0", String(taken.id.dropLast()), String(taken.id.dropLast()) + "f", taken.id + "0"] {
                #expect(try await taken.agent.reply(id).status == 404, "\(id)")
            }
            // None of them did the real one any harm.
            #expect(try await taken.agent.reply(taken.id).status == 200)
        }
    }

    @Test func `another tunnel's agent cannot answer, and cannot tell that there is something to answer`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge)
            let other = try await edge.agent(of: try await edge.createTunnel("other-agent"))
            #expect(try await other.reply(taken.id, body: "evil").status == 404)
            #expect(try await taken.agent.reply(taken.id, body: "good").status == 200)
            #expect(await taken.third.answer().text == "good")
        }
    }

    @Test func `a second reply is refused as such`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge)
            let first = try await taken.agent.beginReply(taken.id)
            _ = await taken.third.head()
            #expect(try await taken.agent.reply(taken.id, body: "again").status == 409)
            first.write("once")
            first.finish()
            #expect(await taken.third.answer().text == "once")
            #expect(try await taken.agent.reply(taken.id, body: "again").status == 409)
        }
    }

    @Test(arguments: ["wrong", ""])
    func `the credential is checked on every reply`(secret: String) async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge)
            #expect(try await taken.agent.reply(taken.id, body: "evil", secret: secret).status == 401)
            var stranger = taken.agent
            stranger.tunnel = try await edge.createTunnel("other-agent")
            #expect(try await stranger.reply(taken.id, body: "evil").status == 401)
            #expect(try await taken.agent.reply(taken.id, body: "good").status == 200)
            #expect(await taken.third.answer().text == "good")
        }
    }

    @Test func `a connection that has not said hello can answer nothing`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge)
            let silent = try await edge.connect(taken.tunnel)
            #expect(try await silent.reply(taken.id, body: "x").status == 401)
        }
    }

    @Test(
        arguments: [
            ("99", []), ("600", []), ("100", []), ("x", []), ("200", [("content-length", "x")]),
            ("200", [("content-length", "1"), ("content-length", "2")]),
        ] as [(String, [(String, String)])])
    func `a reply that is no HTTP is told to both, and harms nothing else`(
        status: String, fields: [(String, String)]
    ) async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge)
            let reply = try await taken.agent.beginReply(taken.id, status: status, fields, isWhole: true)
            let refused = await reply.answer()
            #expect(refused.status == 400 || refused.error != nil)
            let answer = await taken.third.answer()
            #expect(answer.status == 502)
            #expect(answer.reason == "invalid-reply")
            // The agent's connection lives.
            let intake = try await taken.agent.park(1)
            let next = try await edge.thirdParty().call("GET", "/2", host: taken.tunnel.host)
            #expect(try await taken.agent.reply(await intake.requestID(), body: "fine").status == 200)
            #expect(await next.answer().text == "fine")
        }
    }

    @Test func `a reply that breaks off after its head breaks the answer off`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge)
            let reply = try await taken.agent.beginReply(taken.id, body: Array("half".utf8))
            #expect(await taken.third.body(endingWith: "half") == "half")
            reply.reset()
            let answer = await taken.third.answer()
            #expect(answer.status == 200)
            #expect(answer.error != nil)
        }
    }

    @Test func `an answer to HEAD keeps the origin's length and has no body`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge, method: "HEAD")
            #expect(try await taken.agent.reply(taken.id, [("content-length", "1234"), ("etag", "x")]).status == 200)
            let answer = await taken.third.answer()
            #expect(answer["content-length"] == "1234")
            #expect(answer["etag"] == "x")
            #expect(answer.text.isEmpty)
            #expect(answer.error == nil)
        }
    }

    @Test func `a third party that went away makes the reply's answer 410`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel, features: "cancel")
            let intake = try await agent.park(0)
            let client = try await edge.thirdParty()
            let third = try await client.call("GET", "/x", host: tunnel.host)
            let id = await intake.requestID()
            let next = try await agent.park(1)
            third.reset()
            // The agent hears of it with its next intake.
            let envelope = try #require(await next.head())
            #expect(envelope.fields.first(named: "inkbox-route-kind") == "cancel")
            #expect(envelope.fields.first(named: "inkbox-request-id") == id)
            #expect(try await agent.reply(id).status == 410)
        }
    }

    @Test func `a third party that goes away while the answer flows stops the reply`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await ReplyTests.take(edge)
            let reply = try await taken.agent.beginReply(taken.id, body: Array("begun".utf8))
            #expect(await taken.third.body(endingWith: "begun") == "begun")
            taken.third.reset()
            #expect(await reply.answer().status == 410)
        }
    }

    @Test func `a slow third party holds the agent up, and nothing is lost`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            let intake = try await agent.park()
            let client = try await edge.thirdParty()
            // A third party that consumes nothing has room for one window.
            let third = try await client.call("GET", "/x", host: tunnel.host, consumes: false)
            let id = await intake.requestID()
            let body = [UInt8](repeating: 0x2A, count: 2_000_000)
            let reply = try await agent.beginReply(id, body: body, isWhole: true)
            let window = HTTP2Settings().streamWindowByteCount
            await third.journal.wait { $0.byteCount >= window }
            for _ in 0..<30 { for door in edge.doors + [edge.clients] { try await door.run { _ in } } }
            #expect(third.journal.all.byteCount == window)
            #expect(!reply.journal.all.isOver)
            third.reset()
            #expect(await reply.answer().status == 410)
        }
    }
}
