import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelEdge
import TunnelWire

/// Parking for work, and the envelope that an intake is answered with (data plane, section 3).
@Suite(.timeLimit(.minutes(5)))
struct IntakeTests {
    @Test func `the envelope carries the request, and its body follows`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            let intake = try await agent.park()
            let third = try await edge.thirdParty().call(
                "PUT", "/a%2Fb/%2e?q=%20", host: tunnel.host,
                [("x-own", "1"), ("x-own", "2"), ("cookie", "a=1"), ("cookie", "b=2")],
                body: Array("first ".utf8), isWhole: false)
            let envelope = try #require(await intake.head())
            #expect(envelope.status == 200)
            let fields = envelope.fields
            #expect(fields.first(named: "inkbox-method") == "PUT")
            #expect(fields.first(named: "inkbox-path") == "/a%2Fb/%2e?q=%20")
            #expect(fields.first(named: "inkbox-route-kind") == "webhook")
            #expect(fields.first(named: "inkbox-forwarded-for") == "127.0.0.1")
            #expect(fields.pairs.filter { $0.name == "inkbox-h-x-own" }.map(\.value) == ["1", "2"])
            #expect(fields.first(named: "inkbox-h-cookie") == "a=1; b=2")
            // It flows while the third party still sends.
            #expect(await intake.body(endingWith: "first ") == "first ")
            third.write("second")
            third.finish()
            let answer = await intake.answer()
            #expect(answer.text == "first second")
            #expect(answer.error == nil)
        }
    }

    @Test func `a request whose intake was taken back before it left goes to the next one`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            let third = try await edge.thirdParty(of: tunnel)
            var parked = [try await agent.park(0), try await agent.park(1)]
            // Now and then the kernel takes a while for one of the two, and the request has left by then: once more.
            for attempt in 0..<50 {
                // Answered behind the intakes, which are parked by then.
                #expect(try await agent.reply("unknown").status == 404)
                let first = parked.removeFirst()
                var call: Call?
                try await edge.whileLoopsWait {
                    call = try await third.call("GET", "/\(attempt)", host: tunnel.host)
                    try await edge.clientsHaveSent()
                    first.reset()
                }
                #expect(try await agent.reply("unknown").status == 404)
                if parked[0].journal.all.head != nil {
                    _ = try await agent.reply(await parked[0].requestID(), body: "served")
                    #expect(await call?.answer().text == "served")
                    return
                }
                call?.reset()
                parked.append(try await agent.park(2 + attempt % 2))
            }
            Issue.record("no request went to the next intake")
        }
    }

    @Test func `what a third party could forge never reaches the agent`() async throws {
        let forged = [
            ("inkbox-request-id", "x"), ("inkbox-forwarded-for", "10.0.0.1"), ("inkbox-h-cookie", "x"), ("inkbox-reason", "x"),
            ("x-forwarded-for", "10.0.0.1"), ("x-forwarded-host", "evil"), ("x-forwarded-proto", "ftp"),
            ("x-forwarded-any", "x"),
            ("forwarded", "for=10.0.0.1"), ("x-real-ip", "10.0.0.1"),
        ]
        let hop = [
            ("connection", "x-named, keep-alive"), ("x-named", "x"), ("keep-alive", "x"), ("te", "trailers"),
            ("proxy-authorization", "x"), ("proxy-authenticate", "x"), ("trailer", "x"),
        ]
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            let intake = try await agent.park()
            let raw = try await RawThirdParty.connect(to: edge.address, on: edge.clients)
            let fields = (forged + hop + [("X-Honest", "y")]).map { "\($0.0): \($0.1)\r\n" }.joined()
            raw.send("GET / HTTP/1.1\r\nHost: \(tunnel.host)\r\n\(fields)\r\n")
            let envelope = try #require(await intake.head()).fields
            #expect(
                Set(envelope.pairs.map(\.name)) == [
                    "inkbox-request-id", "inkbox-method", "inkbox-path", "inkbox-route-kind", "inkbox-forwarded-for",
                    "inkbox-h-x-honest",
                ])
            #expect(envelope.pairs.filter { $0.name == "inkbox-request-id" }.count == 1)
            #expect(envelope.first(named: "inkbox-forwarded-for") == "127.0.0.1")
            _ = try await agent.reply(await intake.requestID(), status: 204)
            #expect(await raw.text(holding: "\r\n\r\n").hasPrefix("HTTP/1.1 204 "))
        }
    }

    @Test(arguments: ["", "0", "ffffffffffffffffffffffffffffffff"])
    func `an intake with a wrong token is refused, and the others stay`(token: String) async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            let good = try await agent.park(0)
            #expect(try await agent.park(1, token: token).answer().status == 401)
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            #expect(try await agent.reply(await good.requestID()).status == 200)
            #expect(await third.answer().status == 200)
        }
    }

    @Test func `a token is good on its own connection only`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            var silent = try await edge.connect(tunnel)
            silent.ownerToken = agent.ownerToken
            #expect(try await silent.park().answer().status == 401)
        }
    }

    @Test func `an idle intake is answered with nothing to do`() async throws {
        try await EdgeFixture.run {
            $0.pool.intakeIdle = .milliseconds(30)
        } _: { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let answer = try await agent.park().answer()
            #expect(answer.status == 204)
            #expect(answer.fields.first(named: "inkbox-request-id") == nil)
        }
    }

    @Test func `more intakes than the pool has end the connection`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            var agent = try await edge.connect(tunnel)
            _ = try await agent.hello(poolSize: 2)
            let intakes = [try await agent.park(0), try await agent.park(1)]
            #expect(intakes.allSatisfy { $0.journal.all.isEmpty })
            _ = try await agent.park(2)
            await agent.client.closing()
        }
    }

    @Test func `a head that is larger than the agent takes is refused, and the intake goes on waiting`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel, headerListByteCountMax: 1_000)
            let intake = try await agent.park()
            let large = try await edge.get(host: tunnel.host, [("x-large", String(repeating: "x", count: 1_000))])
            #expect(large.head.status == 431)
            #expect(large.head.fields.first(named: "inkbox-reason") == "headers-too-large")
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            #expect(try await agent.reply(await intake.requestID()).status == 200)
            #expect(await third.answer().status == 200)
        }
    }

    @Test func `the client is told to go on when its request has been handed over`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            let third = try await edge.thirdParty().call(
                "POST", "/", host: tunnel.host, [("expect", "100-continue"), ("content-length", "2")], isWhole: false)
            for _ in 0..<10 { for door in edge.doors + [edge.clients] { try await door.run { _ in } } }
            #expect(third.journal.all.interimStatuses.isEmpty)
            let intake = try await agent.park()
            await third.journal.wait { !$0.isEmpty }
            #expect(third.journal.all.interimStatuses == [100])
            #expect(await intake.head()?.fields.first(named: "inkbox-h-expect") == nil)
            third.write("hi")
            third.finish()
            #expect(await intake.answer().text == "hi")
        }
    }
}
