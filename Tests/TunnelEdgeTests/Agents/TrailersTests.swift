import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

/// Trailers both ways, for agents that know them (feature `trailers`) and for those that do not.
@Suite(.timeLimit(.minutes(5)))
struct TrailersTests {
    private static let features = "replies-on-intake, trailers"
    private static let some = [("x-sum", "7"), ("x-sum", "8"), ("set-cookie", "a=1"), ("inkbox-status", "200")]
    private static let grpc = [("content-type", "application/grpc"), ("te", "trailers")]

    private static func head(_ status: Int = 200, _ pairs: [(String, String)] = []) throws -> [UInt8] {
        var head = HTTPResponseHead(status: status)
        for (name, value) in pairs { head.fields.append(name: name, value: value) }
        var bytes: [UInt8] = []
        try ReplyEnvelope.encodeBinary(head, contentLength: nil, into: &bytes)
        return bytes
    }

    private static func lines(_ fields: HTTPFields?) -> [String]? { fields?.pairs.map { "\($0.name): \($0.value)" } }

    @Test(arguments: [true, false]) func `trailers of a request reach an agent that knows them`(knows: Bool) async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel, features: knows ? Self.features : "replies-on-intake")
            let intake = try await agent.park(isOpen: true)
            let third = try await edge.thirdParty().call(
                "POST", "/", host: tunnel.host, [("te", "trailers")], body: Array("body".utf8), isWhole: false)
            let envelope = try #require(await intake.head())
            #expect(envelope.fields.first(named: "inkbox-h-te") == (knows ? "trailers" : nil))
            third.finish(trailers: Self.some)
            let events = await intake.journal.wait { $0.hasEnd }
            #expect(events.text == "body")
            #expect(Self.lines(events.trailers) == (knows ? ["x-sum: 7", "x-sum: 8"] : nil))
        }
    }

    @Test(arguments: ["", "body"]) func `trailers wait with their request for an agent`(body: String) async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel, features: Self.features)
            let third = try await edge.thirdParty(of: tunnel).call(
                "POST", "/", host: tunnel.host, body: Array(body.utf8), isWhole: false)
            third.finish(trailers: Self.some)
            try await edge.clientsHaveSent()
            let intake = try await agent.park(isOpen: true)
            let events = await intake.journal.wait { $0.hasEnd }
            #expect(events.text == body)
            #expect(Self.lines(events.trailers) == ["x-sum: 7", "x-sum: 8"])
        }
    }

    @Test(arguments: [true, false]) func `trailers of a reply reach the third party from an agent that knows them`(knows: Bool)
        async throws
    {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel, features: knows ? Self.features : "replies-on-intake")
            let intake = try await agent.park(isOpen: true)
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            _ = await intake.requestID()
            intake.write(try Self.head() + Array("body".utf8))
            intake.finish(trailers: Self.some)
            let answer = await third.answer()
            #expect(answer.text == "body" && answer.error == nil)
            #expect(Self.lines(answer.trailers) == (knows ? ["x-sum: 7", "x-sum: 8"] : nil))
        }
    }

    @Test(arguments: [true, false]) func `a reply on a stream of its own has its trailers there`(knows: Bool) async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel, features: knows ? "trailers" : nil)
            let intake = try await agent.park()
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            let reply = try await agent.beginReply(await intake.requestID(), body: Array("body".utf8))
            reply.finish(trailers: Self.some)
            let answer = await third.answer()
            #expect(answer.text == "body" && answer.error == nil)
            #expect(Self.lines(answer.trailers) == (knows ? ["x-sum: 7", "x-sum: 8"] : nil))
        }
    }

    @Test func `a third party of HTTP1 gets them behind its last chunk`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel, features: Self.features)
            let intake = try await agent.park(isOpen: true)
            let third = try await RawThirdParty.connect(to: edge.address, on: edge.clients)
            third.send("POST / HTTP/1.1\r\nHost: \(tunnel.host)\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Up: 1\r\n\r\n")
            let events = await intake.journal.wait { $0.hasEnd }
            #expect(Self.lines(events.trailers) == ["x-up: 1"])
            intake.write(try Self.head() + Array("body".utf8))
            intake.finish(trailers: Self.some)
            #expect(await third.text(holding: "x-sum: 8\r\n\r\n").hasSuffix("0\r\nx-sum: 7\r\nx-sum: 8\r\n\r\n"))
        }
    }

    @Test(
        arguments: [
            (StreamReset.cancel, StreamReset.cancel), (.overloaded, .overloaded), (.internalError, .internalError),
            (.refused, .internalError), (.protocolError, .internalError),
        ] as [(StreamReset, StreamReset)])
    func `why a reply broke off reaches the third party`(sent: StreamReset, told: StreamReset) async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel, features: Self.features)
            let intake = try await agent.park(isOpen: true)
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            _ = await intake.requestID()
            intake.write(try Self.head() + Array("body".utf8))
            #expect(await third.body(endingWith: "body") == "body")
            intake.reset(sent)
            #expect(await third.answer().reset == told)
        }
    }

    @Test func `a call of gRPC is not given to an agent that could not answer it`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel, features: "replies-on-intake")
            let intake = try await agent.park(isOpen: true)
            let refused = try await edge.thirdParty().call("POST", "/", host: tunnel.host, Self.grpc, body: []).answer()
            #expect(refused.status == 200 && refused.text.isEmpty)
            #expect(refused["grpc-status"] == "12" && refused.reason == "agent-without-trailers")
            // The intake is still there for what the agent can do.
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            _ = await intake.requestID()
            intake.write(try Self.head() + Array("fine".utf8))
            intake.finish()
            #expect(await third.answer().text == "fine")
        }
    }

    @Test func `a call of gRPC without an agent has its status in the head`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let answer = try await edge.thirdParty().call("POST", "/", host: tunnel.host, Self.grpc, body: []).answer()
            #expect(answer.status == 200 && answer["content-type"] == "application/grpc")
            #expect(answer["grpc-status"] == "14" && answer.reason == "agent-offline")
        }
    }
}
