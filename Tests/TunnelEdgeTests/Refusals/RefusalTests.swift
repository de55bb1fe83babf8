import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelEdge
import TunnelWire

/// What a third party sees when there is no reply (data plane, section 5).
@Suite(.timeLimit(.minutes(5)))
struct RefusalTests {
    /// Checks what all refusals have in common.
    private func expect(_ response: BufferedResponse, _ refusal: Refusal, isHTML: Bool = false) {
        let fields = response.head.fields
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(response.head.status == refusal.status)
        #expect(fields.first(named: "inkbox-reason") == refusal.code)
        #expect(fields.first(named: "cache-control") == "no-store")
        #expect(fields.first(named: "content-length") == "\(response.body.count)")
        let id = fields.first(named: "x-request-id") ?? "none"
        #expect(text.contains(id))
        if isHTML {
            #expect(fields.first(named: "content-type") == "text/html; charset=utf-8")
            #expect(text.hasPrefix("<!doctype html>") && text.contains(refusal.notice.title))
        } else {
            #expect(fields.first(named: "content-type") == "application/problem+json")
            #expect(text.contains(#""status":\#(refusal.status)"#) && text.contains(#""code":"\#(refusal.code)""#))
        }
    }

    @Test(
        arguments: [
            (nil, false), ("*/*", false), ("application/json", false), ("text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("application/json, text/html", false), ("text/html;q=0.9", true), ("image/png", false),
            ("text/html;q=0.2, application/json;q=0.1", true), ("text/html;q=0.2, */*", false),
        ] as [(String?, Bool)])
    func `a name that nobody has is told in the form that the client prefers`(accept: String?, isHTML: Bool) async throws {
        try await EdgeFixture.run { edge in
            let response = try await edge.get(host: "nobody.localhost", accept.map { [("accept", $0)] } ?? [])
            expect(response, .noSuchTunnel, isHTML: isHTML)
        }
    }

    @Test(arguments: ["no--body.localhost", "a.b.localhost", "www.localhost", "x.localhost"])
    func `a name that no tunnel can have is told alike`(host: String) async throws {
        try await EdgeFixture.run { edge in
            expect(try await edge.get(host: host), .noSuchTunnel)
        }
    }

    @Test(arguments: ["example.com", "localhost.example.com", "my-agent.localhost.", "notlocalhost"])
    func `a host of another zone is misdirected`(host: String) async throws {
        try await EdgeFixture.run { edge in
            _ = try await edge.createTunnel()
            let response = try await edge.get(host: host)
            // The final dot of an absolute name may be accepted or not, but leads to no other tenant.
            #expect([421, 502].contains(response.head.status))
            if !host.hasSuffix(".") { expect(response, .misdirected) }
        }
    }

    @Test func `a tunnel whose agent is away is offline`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            expect(try await edge.get(host: tunnel.host), .agentOffline)
            expect(try await edge.get(host: tunnel.host.uppercased()), .agentOffline)
            expect(try await edge.get(host: tunnel.host, method: "POST", body: [1, 2, 3]), .agentOffline)
        }
    }

    @Test func `a tunnel that is deleted is inactive, and again there when it is restored`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            try await edge.delete(tunnel)
            expect(try await edge.get(host: tunnel.host), .tunnelInactive)
            try await edge.restore(tunnel)
            expect(try await edge.get(host: tunnel.host), .agentOffline)
            try await edge.delete(tunnel)
            // When its grace is over the name is free, whether or not anybody has swept.
            edge.clock.advance(by: .seconds(365 * 86_400))
            let late = try await edge.get(host: tunnel.host)
            #expect(late.head.status == 404)
        }
    }

    @Test func `a tunnel that waits for its certificate is inactive`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel(tlsMode: .passthrough)
            expect(try await edge.get(host: tunnel.host), .tunnelInactive)
        }
    }

    @Test func `a request that finds no intake in time is told to come back`() async throws {
        try await EdgeFixture.run {
            $0.pool.queueWait = .milliseconds(30)
        } _: { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let response = try await edge.get(host: agent.tunnel.host)
            expect(response, .agentBusy)
            #expect(response.head.fields.first(named: "retry-after") == "1")
        }
    }

    @Test func `a full queue refuses at once, and those in it are served`() async throws {
        try await EdgeFixture.run {
            $0.pool.queueMax = 2
        } _: { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let client = try await edge.thirdParty(of: agent.tunnel)
            var calls: [Call] = []
            for number in 0..<3 { calls.append(try await client.call("GET", "/\(number)", host: agent.tunnel.host)) }
            let refused = await calls[2].answer()
            #expect(refused.status == 503)
            #expect(refused.reason == "agent-busy")
            #expect(refused["retry-after"] != nil)
            for number in 0..<2 {
                let intake = try await agent.park()
                #expect(await intake.head()?.fields.first(named: "inkbox-path") == "/\(number)")
                #expect(try await agent.reply(await intake.requestID(), body: "\(number)").status == 200)
                #expect(await calls[number].answer().text == "\(number)")
            }
        }
    }

    @Test func `an agent that does not answer in time is told of, and its reply comes too late`() async throws {
        try await EdgeFixture.run {
            $0.pool.responseDeadline = .milliseconds(50)
        } _: { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let intake = try await agent.park()
            async let response = edge.get(host: agent.tunnel.host)
            let id = await intake.requestID()
            expect(try await response, .responseDeadlineExceeded)
            #expect(try await agent.reply(id).status == 410)
        }
    }

    @Test func `a reply that has begun in time may last`() async throws {
        try await EdgeFixture.run {
            $0.pool.responseDeadline = .seconds(5)
            $0.pool.intakeIdle = .seconds(6)
        } _: { edge in
            let agent = try await edge.agent(of: try await edge.createTunnel())
            let intake = try await agent.park(0)
            let third = try await edge.thirdParty().call("GET", "/", host: agent.tunnel.host)
            let reply = try await agent.beginReply(await intake.requestID())
            _ = await third.head()
            // An intake that idles for longer than the deadline is the clock of this test.
            #expect(try await agent.park(1).answer().status == 204)
            reply.write("late but whole")
            reply.finish()
            #expect(await third.answer().text == "late but whole")
        }
    }

    @Test(arguments: ["CONNECT", "TRACE"])
    func `methods that cannot pass a tunnel are refused`(method: String) async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let answer = try await edge.thirdParty().call(method, "/", host: tunnel.host).answer()
            // HTTP/2 itself refuses a CONNECT that has a path.
            #expect(answer.status == 501 || (method == "CONNECT" && answer.error != nil))
        }
    }

    @Test func `a header that is not UTF-8 is refused, unless the agent can read it`() async throws {
        for features in [nil, "opaque-headers"] {
            try await EdgeFixture.run { edge in
                let agent = try await edge.agent(of: try await edge.createTunnel(), features: features)
                let intake = try await agent.park()
                let raw = try await RawThirdParty.connect(to: edge.address, on: edge.clients)
                raw.send(Array("GET / HTTP/1.1\r\nHost: \(agent.tunnel.host)\r\nX-Name: Jos".utf8) + [0xE9, 13, 10, 13, 10])
                guard features == nil else {
                    #expect(try await agent.reply(await intake.requestID()).status == 200)
                    return
                }
                let text = await raw.text(holding: "\r\n\r\n")
                #expect(text.hasPrefix("HTTP/1.1 400 ") && text.contains("inkbox-reason: invalid-header\r\n"))
                #expect(intake.journal.all.isEmpty)
            }
        }
    }

    @Test func `a third party that speaks no HTTP is told so in the edge's words`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            let intake = try await agent.park()
            let raw = try await RawThirdParty.connect(to: edge.address, on: edge.clients)
            raw.send(
                "POST / HTTP/1.1\r\nHost: \(tunnel.host)\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            let text = await raw.textUntilClosed()
            #expect(text.hasPrefix("HTTP/1.1 400 ") && text.contains("inkbox-reason: invalid-request\r\n"))
            #expect(text.contains("cache-control: no-store\r\n") && text.contains("x-request-id: "))
            #expect(intake.journal.all.isEmpty)
        }
    }

    @Test func `every refusal says something of its own`() {
        #expect(Set(Refusal.allCases.map(\.code)).count == Refusal.allCases.count)
        #expect(Set(Refusal.allCases.map(\.notice.title)).count == Refusal.allCases.count)
        #expect(Set(Refusal.allCases.map(\.notice.reason)).count == Refusal.allCases.count)
        #expect(Refusal.allCases.allSatisfy { $0.notice.reason.hasSuffix(".") && $0.notice.forVisitor.hasSuffix(".") })
        #expect(Refusal.allCases.allSatisfy { (400...599).contains($0.status) })
    }
}
