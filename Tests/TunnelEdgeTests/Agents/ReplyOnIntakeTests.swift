import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

/// Replies on the intake's own stream (feature `replies-on-intake`).
@Suite(.timeLimit(.minutes(5)))
struct ReplyOnIntakeTests {
    private static let feature = "replies-on-intake"

    /// A request that an agent has taken and not answered.
    private struct Taken {
        var tunnel: TestTunnel
        var agent: TestAgent
        var intake: Call
        var third: Call
        var id: String
    }

    private static func take(
        _ edge: EdgeFixture, method: String = "GET", body: [UInt8]? = nil, isWhole: Bool = true, consumes: Bool = true
    ) async throws -> Taken {
        let tunnel = try await edge.createTunnel()
        let agent = try await edge.agent(of: tunnel, features: feature)
        let intake = try await agent.park(isOpen: true)
        let third = try await edge.thirdParty().call(
            method, "/x", host: tunnel.host, body: body, isWhole: isWhole, consumes: consumes)
        return Taken(tunnel: tunnel, agent: agent, intake: intake, third: third, id: await intake.requestID())
    }

    private static func head(
        _ status: Int = 200, _ pairs: [(String, String)] = [], contentLength: Int? = nil, isHeadRequest: Bool = false
    ) throws -> [UInt8] {
        var fields = HTTPFields()
        for (name, value) in pairs { fields.append(name: name, value: value) }
        var bytes: [UInt8] = []
        try ReplyEnvelope.encodeBinary(
            HTTPResponseHead(status: status, fields: fields), contentLength: contentLength, isHeadRequest: isHeadRequest,
            into: &bytes)
        return bytes
    }

    /// Whether the agent's connection still carries requests.
    private static func checkThatNextIsServed(_ edge: EdgeFixture, _ taken: Taken) async throws {
        let intake = try await taken.agent.park(1, isOpen: true)
        let next = try await edge.thirdParty().call("GET", "/2", host: taken.tunnel.host)
        _ = await intake.requestID()
        intake.write(try head(contentLength: 4) + Array("fine".utf8))
        intake.finish()
        #expect(await next.answer().text == "fine")
    }

    @Test func `head, body and repeated fields come back as the agent gave them`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge)
            taken.intake.write(
                try Self.head(418, [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-own", "y")]) + Array("short".utf8))
            taken.intake.finish()
            let answer = await taken.third.answer()
            #expect(answer.status == 418)
            #expect(answer.text == "short")
            #expect(answer.fields.pairs.filter { $0.name == "set-cookie" }.map(\.value) == ["a=1", "b=2"])
            #expect(answer["x-own"] == "y")
            #expect(answer.error == nil)
            #expect(await taken.intake.answer().error == nil)
            try await Self.checkThatNextIsServed(edge, taken)
        }
    }

    @Test func `every byte may come by itself, and the body flows as it comes`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge)
            for byte in try Self.head(200, [("content-type", "text/event-stream")]) { taken.intake.write([byte]) }
            taken.intake.write("data: 1\n\n")
            #expect(await taken.third.body(endingWith: "1\n\n") == "data: 1\n\n")
            taken.intake.write("data: 2\n\n")
            taken.intake.finish()
            #expect(await taken.third.answer().text == "data: 1\n\ndata: 2\n\n")
        }
    }

    @Test func `both bodies are on their way at once`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge, method: "POST", body: Array("ping".utf8), isWhole: false)
            #expect(await taken.intake.body(endingWith: "ping") == "ping")
            taken.intake.write(try Self.head() + Array("pong".utf8))
            #expect(await taken.third.body(endingWith: "pong") == "pong")
            taken.third.write("again")
            #expect(await taken.intake.body(endingWith: "again") == "pingagain")
            taken.third.finish()
            await taken.intake.journal.wait { $0.hasEnd }
            taken.intake.write("over")
            taken.intake.finish()
            #expect(await taken.third.answer().text == "pongover")
        }
    }

    @Test func `an answer to HEAD keeps the origin's length and has no body`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge, method: "HEAD")
            taken.intake.write(try Self.head(200, [("content-length", "1234")], isHeadRequest: true))
            taken.intake.finish()
            let answer = await taken.third.answer()
            #expect(answer["content-length"] == "1234")
            #expect(answer.text.isEmpty)
            #expect(answer.error == nil)
        }
    }

    @Test(arguments: [[0], [2, 0, 0], [1, 0x40, 200, 1, 0x41], Array("HTTP/1.1 200 OK\r\n\r\n".utf8)] as [[UInt8]])
    func `a reply that does not begin with a head is a 502, and harms nothing else`(bytes: [UInt8]) async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge)
            taken.intake.write(bytes)
            taken.intake.finish()
            let answer = await taken.third.answer()
            #expect(answer.status == 502)
            #expect(answer.reason == "invalid-reply")
            try await Self.checkThatNextIsServed(edge, taken)
        }
    }

    @Test(arguments: ["short", "far too long"])
    func `a body of another length than announced breaks the answer off`(body: String) async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge)
            taken.intake.write(try Self.head(contentLength: 8) + Array(body.utf8))
            taken.intake.finish()
            let answer = await taken.third.answer()
            #expect(answer.error != nil)
            try await Self.checkThatNextIsServed(edge, taken)
        }
    }

    @Test func `an agent that gives up before its reply is a 502, and the request goes nowhere else`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge)
            let next = try await taken.agent.park(1, isOpen: true)
            taken.intake.reset()
            #expect(await taken.third.answer().status == 502)
            let other = try await edge.thirdParty().call("GET", "/other", host: taken.tunnel.host)
            #expect(await next.head()?.fields.first(named: "inkbox-path") == "/other")
            other.reset()
        }
    }

    @Test func `an intake that the agent refused before it saw the request is not the request's end`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge)
            let next = try await taken.agent.park(1, isOpen: true)
            taken.intake.refuse()
            #expect(await next.requestID() == taken.id)
            next.write(try Self.head(contentLength: 2) + Array("ok".utf8))
            next.finish()
            #expect(await taken.third.answer().text == "ok")
        }
    }

    @Test func `a third party that goes away resets the stream, before the reply and in it`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge)
            taken.third.reset()
            #expect(await taken.intake.answer().error != nil)
            try await Self.checkThatNextIsServed(edge, taken)

            let intake = try await taken.agent.park(2, isOpen: true)
            let third = try await edge.thirdParty().call("GET", "/x", host: taken.tunnel.host)
            _ = await intake.requestID()
            intake.write(try Self.head() + Array("begun".utf8))
            #expect(await third.body(endingWith: "begun") == "begun")
            third.reset()
            #expect(await intake.answer().error != nil)
        }
    }

    @Test func `the agent may still reply with a request of its own`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge)
            taken.intake.finish()
            #expect(try await taken.agent.reply(taken.id, body: "elsewhere").status == 200)
            #expect(await taken.third.answer().text == "elsewhere")
        }
    }

    @Test func `one request is answered once`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge)
            taken.intake.write(try Self.head() + Array("one".utf8))
            #expect(await taken.third.body(endingWith: "one") == "one")
            #expect(try await taken.agent.reply(taken.id, body: "two").status == 409)
            taken.intake.finish()
            #expect(await taken.third.answer().text == "one")
        }
    }

    @Test func `what an agent sends before there is a request is not a reply`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel, features: Self.feature)
            let intake = try await agent.park(isOpen: true)
            intake.write(try Self.head() + Array("early".utf8))
            try await edge.clientsHaveSent()
            let third = try await edge.thirdParty().call("GET", "/x", host: tunnel.host)
            _ = await intake.requestID()
            intake.write(try Self.head() + Array("late".utf8))
            intake.finish()
            #expect(await third.answer().text == "late")
        }
    }

    @Test func `a slow third party holds the agent up, and nothing is lost`() async throws {
        try await EdgeFixture.run { edge in
            let taken = try await Self.take(edge, consumes: false)
            taken.intake.write(try Self.head() + [UInt8](repeating: 0x2A, count: 2_000_000))
            taken.intake.finish()
            let window = HTTP2Settings().streamWindowByteCount
            await taken.third.journal.wait { $0.byteCount >= window }
            for _ in 0..<30 { for door in edge.doors + [edge.clients] { try await door.run { _ in } } }
            #expect(taken.third.journal.all.byteCount == window)
            taken.third.reset()
            #expect(await taken.intake.answer().error != nil)
        }
    }
}
