import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelEdge
import TunnelService
import TunnelWire

/// How agents are let in (data plane, section 2).
@Suite(.timeLimit(.minutes(5)))
struct HelloTests {
    @Test func `a hello with the connect secret is answered with what the agent needs`() async throws {
        try await EdgeFixture.run {
            $0.pool.intakeIdle = .seconds(61)
            $0.pool.responseDeadline = .seconds(62)
        } _: { edge in
            let tunnel = try await edge.createTunnel()
            var agent = try await edge.connect(tunnel)
            let answer = try await agent.hello()
            #expect(answer.status == 200)
            #expect(answer["content-type"] == "application/json")
            #expect(agent.ownerToken.utf8.count == 32)
            let rest = #""default_pool_size":8,"intake_idle_seconds":61,"response_deadline_seconds":62,"features":[]}"#
            #expect(answer.text == #"{"owner_token":"\#(agent.ownerToken)",\#(rest)"#)
        }
    }

    @Test(arguments: [("0", 1), ("1", 1), ("7", 7), ("32", 32), ("33", 32), ("999999", 32), ("-4", 1), ("many", 8)])
    func `the pool is what was asked for, within 1 and 32`(asked: String, granted: Int) async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            var agent = try await edge.connect(tunnel)
            let answer = try await agent.hello(
                with: [("x-tunnel-id", tunnel.id), ("x-tunnel-secret", tunnel.secret), ("x-pool-size", asked)])
            #expect(answer.text.contains("\"default_pool_size\":\(granted),"))
        }
    }

    @Test func `an admin key of the organization opens its tunnels`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            var agent = try await edge.connect(tunnel)
            let answer = try await agent.hello(with: [("x-tunnel-id", tunnel.id), ("x-api-key", edge.home.apiKey)])
            #expect(answer.status == 200)
            let stranger = try await CreateOrganization(ports: edge.ports)()
            var other = try await edge.connect(tunnel)
            let refused = try await other.hello(with: [("x-tunnel-id", tunnel.id), ("x-api-key", stranger.apiKey)])
            #expect(refused.status == 401)
        }
    }

    @Test func `an unknown tunnel and a wrong secret are answered alike`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let unknown = TunnelID(randomBytes: [UInt8](repeating: 7, count: 16)).text
            var texts: Set<String> = []
            for fields in [
                [("x-tunnel-id", unknown), ("x-tunnel-secret", tunnel.secret)],
                [("x-tunnel-id", tunnel.id), ("x-tunnel-secret", "tnl_00000000000000000000000000000000")],
                [("x-tunnel-id", "nonsense"), ("x-tunnel-secret", tunnel.secret)],
                [("x-tunnel-id", tunnel.id), ("x-api-key", "ApiKey_nobody")],
            ] {
                var agent = try await edge.connect(tunnel)
                let answer = try await agent.hello(with: fields)
                #expect(answer.status == 401)
                texts.insert(answer.text)
            }
            #expect(texts.count == 1)
            #expect(!edge.directory.isConnected(tunnel.tunnel.id))
        }
    }

    @Test(arguments: [[("x-tunnel-secret", "tnl_x")], [("x-tunnel-id", "x")], []])
    func `a hello without id or credential is refused`(fields: [(String, String)]) async throws {
        try await EdgeFixture.run { edge in
            var agent = try await edge.connect(try await edge.createTunnel())
            #expect(try await agent.hello(with: fields).status == 401)
        }
    }

    @Test func `a tunnel that is deleted lets no agent in, until it is restored`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            try await edge.delete(tunnel)
            var agent = try await edge.connect(tunnel)
            #expect(try await agent.hello().status == 403)
            try await edge.restore(tunnel)
            var second = try await edge.connect(tunnel)
            #expect(try await second.hello().status == 200)
        }
    }

    @Test func `a hello is what makes a tunnel connected, and the end of the connection what ends that`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let id = tunnel.tunnel.id
            #expect(!edge.directory.isConnected(id))
            let agent = try await edge.agent(of: tunnel)
            #expect(edge.directory.isConnected(id))
            let record = try #require(edge.store.contents.tunnels[id])
            #expect(record.lastConnectedAt == edge.clock.now)
            #expect(record.lastConnectedAddress == "127.0.0.1")
            edge.clock.advance(by: .seconds(5))
            agent.client.abort()
            await edge.log.journal.wait { $0.contains { $0.hasPrefix("tunnel.disconnected") } }
            try await edge.untilDisconnected(id)
            #expect(edge.store.contents.tunnels[id]?.lastDisconnectedAt == edge.clock.now)
        }
    }

    @Test func `a store that fails lets no agent in, and does not send it away for good`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            edge.store.fail(reads: .io("the disk is gone"))
            var agent = try await edge.connect(tunnel)
            #expect(try await agent.hello().status == 503)
        }
    }

    @Test func `an agent that speaks HTTP/1 is told what to do`() async throws {
        try await EdgeFixture.run { edge in
            let answer = try await edge.get("/_system/hello", host: "localhost", method: "POST")
            #expect(answer.head.status == 400)
            #expect(String(decoding: answer.body, as: UTF8.self).contains("HTTP/2"))
        }
    }

    @Test(arguments: [("GET", "/_system/hello", 405), ("POST", "/_system/nothing", 404), ("POST", "/_system/", 404)])
    func `what is no step of the protocol is refused`(method: String, path: String, status: Int) async throws {
        try await EdgeFixture.run { edge in
            let client = try await edge.thirdParty()
            #expect(try await client.call(method, path, host: "localhost").answer().status == status)
        }
    }

    @Test func `features are on when both ends named them`() async throws {
        try await EdgeFixture.run { edge in
            var agent = try await edge.connect(try await edge.createTunnel())
            let answer = try await agent.hello(features: "cancel, opaque-headers,telepathy")
            #expect(answer.text.contains(#""features":["cancel","opaque-headers"]"#))
        }
    }

    @Test func `a connection says hello once, and is an agent's alone from then on`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            var agent = try await edge.agent(of: tunnel)
            let token = agent.ownerToken
            #expect(try await agent.hello().status == 400)
            for (host, target) in [("localhost", "/api/v1/tunnels"), (tunnel.host, "/")] {
                let answer = try await agent.client.call("GET", target, host: host).answer()
                #expect(answer.status == 421)
                #expect(answer.reason == "misdirected")
            }
            // None of it took anything away from the agent.
            let intake = try await agent.park(token: token)
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            #expect(try await agent.reply(await intake.requestID()).status == 200)
            #expect(await third.answer().status == 200)
        }
    }

    @Test func `a connection that has called the API says no hello`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            var agent = try await edge.connect(tunnel)
            #expect(try await agent.client.call("GET", "/api", host: "localhost").answer().status == 200)
            #expect(try await agent.hello().status == 400)
            #expect(!edge.directory.isConnected(tunnel.tunnel.id))
        }
    }

    @Test func `a rotated secret leaves the agent that is connected alone`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            let secret = try await edge.rotateSecret(tunnel)
            let intake = try await agent.park()
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            #expect(try await agent.reply(await intake.requestID()).status == 200)
            #expect(await third.answer().status == 200)
            var late = try await edge.connect(tunnel)
            #expect(try await late.hello().status == 401)
            var fresh = try await edge.connect(TestTunnel(tunnel: tunnel.tunnel, secret: secret))
            #expect(try await fresh.hello().status == 200)
        }
    }
}
