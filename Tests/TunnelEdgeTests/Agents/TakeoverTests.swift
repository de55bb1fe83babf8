import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelEdge
import TunnelService
import TunnelWire

/// Superseding, losing, deleting, revoking, draining (data plane, section 8).
@Suite(.timeLimit(.minutes(5)))
struct TakeoverTests {
    @Test func `a later agent takes over, and the earlier one is told to stop`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let first = try await edge.agent(of: tunnel)
            let taken = try await first.park(0)
            let inFlight = try await edge.thirdParty().call("GET", "/in-flight", host: tunnel.host)
            _ = await taken.requestID()
            let parked = try await first.park(1)

            let second = try await edge.agent(of: tunnel)
            #expect(
                await first.client.goodbye() == .goingAway(errorCode: 0x1201, debugData: #"{"reason":"superseded"}"#))
            let released = await parked.answer()
            #expect(released.status != 200)
            #expect(released.reason == "intake-superseded")
            let lost = await inFlight.answer()
            #expect(lost.status == 502)
            #expect(lost.reason == "agent-disconnected")
            // The tunnel is connected throughout, and the new agent serves it.
            #expect(edge.directory.isConnected(tunnel.tunnel.id))
            let intake = try await second.park()
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            #expect(try await second.reply(await intake.requestID(), body: "new").status == 200)
            #expect(await third.answer().text == "new")
        }
    }

    @Test func `requests that wait go to the agent that takes over`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let first = try await edge.agent(of: tunnel)
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            let second = try await edge.agent(of: tunnel)
            _ = await first.client.goodbye()
            let intake = try await second.park()
            #expect(try await second.reply(await intake.requestID(), body: "served").status == 200)
            #expect(await third.answer().text == "served")
        }
    }

    @Test func `a reply may come on another connection than its intake`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let first = try await edge.agent(of: tunnel)
            let intake = try await first.park()
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            let id = await intake.requestID()
            let reply = try await first.beginReply(id, body: Array("begun ".utf8))
            #expect(await third.body(endingWith: "begun ") == "begun ")
            // A reply that has begun goes on although its agent was superseded.
            let second = try await edge.agent(of: tunnel)
            _ = await first.client.goodbye()
            reply.write("and done")
            reply.finish()
            #expect(await third.answer().text == "begun and done")
            #expect(try await second.reply(id).status == 409)
        }
    }

    @Test func `two agents that take from each other are damped`() async throws {
        try await EdgeFixture.run {
            $0.pool.supersedesMax = 2
        } _: { edge in
            let tunnel = try await edge.createTunnel()
            for _ in 0...2 { _ = try await edge.agent(of: tunnel) }
            var challenger = try await edge.connect(tunnel)
            let answer = try await challenger.hello()
            #expect(answer.status == 503)
            #expect(Int(answer["retry-after"] ?? "") ?? 0 > 0)
            #expect(edge.directory.isConnected(tunnel.tunnel.id))
        }
    }

    @Test func `an agent whose connection breaks takes its requests with it at once`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            let intake = try await agent.park()
            let waiting = try await edge.thirdParty().call("GET", "/taken", host: tunnel.host)
            let id = await intake.requestID()
            let flowing = try await edge.thirdParty().call("GET", "/flowing", host: tunnel.host)
            let second = try await agent.park()
            _ = try await agent.beginReply(await second.requestID(), body: Array("half".utf8))
            #expect(await flowing.body(endingWith: "half") == "half")
            agent.client.abort()
            let lost = await waiting.answer()
            #expect(lost.status == 502)
            #expect(lost.reason == "agent-disconnected")
            #expect(await flowing.answer().error != nil)
            let next = try await edge.agent(of: tunnel)
            #expect(try await next.reply(id).status == 410)
        }
    }

    @Test func `a deleted tunnel sends its agent away`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            let intake = try await agent.park()
            try await edge.delete(tunnel)
            #expect(await agent.client.goodbye() == .goingAway(errorCode: 0, debugData: #"{"reason":"tunnel-deleted"}"#))
            #expect(await intake.answer().status != 200)
            await agent.client.closing()
            let answer = try await edge.get(host: tunnel.host)
            #expect(answer.head.status == 404)
            #expect(answer.head.fields.first(named: "inkbox-reason") == "tunnel-inactive")
        }
    }

    @Test func `a revoked key ends the connections that it opened, and no other`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            var agent = try await edge.connect(tunnel)
            _ = try await agent.hello(with: [("x-tunnel-id", tunnel.id), ("x-api-key", edge.home.apiKey)])
            let other = try await edge.agent(of: try await edge.createTunnel("other-agent"))
            await edge.ports.events.keyEnded(edge.home.keyRecord.id)
            #expect(await agent.client.goodbye() == .goingAway(errorCode: 0, debugData: #"{"reason":"key-revoked"}"#))
            await agent.client.closing()
            #expect(!other.client.isClosed)
            let intake = try await other.park()
            let third = try await edge.thirdParty().call("GET", "/", host: other.tunnel.host)
            #expect(try await other.reply(await intake.requestID()).status == 200)
            #expect(await third.answer().status == 200)
        }
    }

    @Test func `a drain waits for what is under way, and then sends the agents away`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel)
            let intake = try await agent.park()
            let third = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            let id = await intake.requestID()
            await edge.edge.drain()
            async let drained: Void = edge.edge.finish(secondsMax: 20, webSocketSecondsMax: 20, leavesAgents: false)
            #expect(try await agent.reply(id, body: "in time").status == 200)
            #expect(await third.answer().text == "in time")
            #expect(await agent.client.goodbye() == .goingAway(errorCode: 0, debugData: #"{"reason":"drain"}"#))
            await drained
            await agent.client.closing()
        }
    }
}

extension EdgeFixture {
    /// Waits until the tunnel counts as disconnected.
    func untilDisconnected(_ id: TunnelID) async throws {
        // Told by a task of its own after the log line; there is nothing else to wait for.
        for _ in 0..<500 where directory.isConnected(id) { try await Task.sleep(for: .milliseconds(5)) }
    }
}
