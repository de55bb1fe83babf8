import HTTPTransport
import TestSupport
import Testing
import TunnelDomain
import TunnelEdge
import TunnelWire

/// Several agents for one tunnel (data plane, section 10).
@Suite(.timeLimit(.minutes(5)))
struct SharingTests {
    @Test func `agents that share a tunnel serve it side by side`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let first = try await edge.agent(of: tunnel, features: "shared")
            let second = try await edge.agent(of: tunnel, features: "shared")
            let intakes = [try await first.park(), try await second.park()]
            let calls = [
                try await edge.thirdParty().call("GET", "/1", host: tunnel.host),
                try await edge.thirdParty().call("GET", "/2", host: tunnel.host),
            ]
            #expect(try await first.reply(await intakes[0].requestID(), body: "one").status == 200)
            #expect(try await second.reply(await intakes[1].requestID(), body: "two").status == 200)
            var texts: Set<String> = []
            for call in calls { texts.insert(await call.answer().text) }
            #expect(texts == ["one", "two"])
        }
    }

    @Test func `when one of them breaks the other serves on, and the tunnel stays connected`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let first = try await edge.agent(of: tunnel, features: "shared")
            let second = try await edge.agent(of: tunnel, features: "shared")
            first.client.abort()
            await edge.log.journal.wait { $0.contains { $0.hasPrefix("tunnel.disconnected") } }
            #expect(edge.directory.isConnected(tunnel.tunnel.id))
            let intake = try await second.park()
            let call = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            #expect(try await second.reply(await intake.requestID(), body: "on").status == 200)
            #expect(await call.answer().text == "on")
        }
    }

    @Test func `an agent that does not share takes over from all that do`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let sharing = [
                try await edge.agent(of: tunnel, features: "shared"), try await edge.agent(of: tunnel, features: "shared"),
            ]
            _ = try await edge.agent(of: tunnel)
            for agent in sharing {
                #expect(
                    await agent.client.goodbye() == .goingAway(errorCode: 0x1201, debugData: #"{"reason":"superseded"}"#))
            }
        }
    }

    @Test func `no more agents share a tunnel than may`() async throws {
        try await EdgeFixture.run {
            $0.pool.sharingAgentsMax = 1
        } _: { edge in
            let tunnel = try await edge.createTunnel()
            let present = try await edge.agent(of: tunnel, features: "shared")
            var late = try await edge.connect(tunnel)
            let answer = try await late.hello(features: "shared")
            #expect(answer.status == 503)
            #expect(answer["retry-after"] == "30")
            #expect(!present.client.isClosed)
        }
    }

    @Test func `each agent that shares is told how many do`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            for count in 1...3 {
                var agent = try await edge.connect(tunnel)
                #expect(try await agent.hello(features: "shared").text.contains("\"serving_agents\":\(count),"))
            }
            #expect(edge.directory.connectedAgentCount(of: tunnel.tunnel.id) == 3)
            var alone = try await edge.connect(tunnel)
            #expect(try await !alone.hello().text.contains("serving_agents"))
        }
    }

    @Test func `an agent that leaves is told when nothing more can come, and the others get the rest`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let first = try await edge.agent(of: tunnel, features: "shared, leave")
            let taken = try await first.park(0)
            let call = try await edge.thirdParty().call("GET", "/before", host: tunnel.host)
            let id = await taken.requestID()
            let parked = [try await first.park(1), try await first.park(2)]
            let second = try await edge.agent(of: tunnel, features: "shared, leave")
            let answer = try await first.leave()
            #expect(answer.status == 200)
            #expect(answer.text == #"{"serving_agents":1}"#)
            for intake in parked { #expect(await intake.answer().status == 204) }
            let next = try await second.park()
            let late = try await edge.thirdParty().call("GET", "/after", host: tunnel.host)
            #expect(try await second.reply(await next.requestID(), body: "second").status == 200)
            #expect(await late.answer().text == "second")
            #expect(try await first.reply(id, body: "first").status == 200)
            #expect(await call.answer().text == "first")
        }
    }

    @Test func `when the only agent leaves, requests wait for the one that follows`() async throws {
        try await EdgeFixture.run {
            $0.pool.queueWait = .seconds(600)
            $0.pool.supersedesMax = 0
        } _: { edge in
            let tunnel = try await edge.createTunnel()
            let first = try await edge.agent(of: tunnel, features: "leave")
            #expect(try await first.leave().text == #"{"serving_agents":0}"#)
            let call = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            let second = try await edge.agent(of: tunnel)
            #expect(try await second.reply(await second.park().requestID(), body: "next").status == 200)
            #expect(await call.answer().text == "next")
            #expect(!first.client.isClosed)
        }
    }

    @Test func `nobody makes an agent leave without its owner token`() async throws {
        try await EdgeFixture.run { edge in
            let tunnel = try await edge.createTunnel()
            let agent = try await edge.agent(of: tunnel, features: "leave")
            let intake = try await agent.park()
            #expect(try await agent.leave(token: "0123456789abcdef0123456789abcdef").status == 401)
            #expect(try await edge.connect(tunnel).leave().status == 401)
            let call = try await edge.thirdParty().call("GET", "/", host: tunnel.host)
            #expect(try await agent.reply(await intake.requestID(), body: "still here").status == 200)
            #expect(await call.answer().text == "still here")
        }
    }
}
