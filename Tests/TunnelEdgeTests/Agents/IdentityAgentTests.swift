import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelEdge
import TunnelService
import TunnelWire

/// What the control plane does to the agents of identities (data plane, section 8).
@Suite(.timeLimit(.minutes(5)))
struct IdentityAgentTests {
    @Test func `an identity's key opens its own tunnel and no other`() async throws {
        try await EdgeFixture.run { edge in
            let (own, other) = (try await edge.createIdentity("own-agent"), try await edge.createIdentity("other-agent"))
            var agent = try await edge.connect(own)
            #expect(try await agent.hello().status == 200)
            var stranger = try await edge.connect(other.tunnel)
            let refused = try await stranger.hello(with: [("x-tunnel-id", other.tunnel.id), ("x-api-key", own.key.apiKey)])
            #expect(refused.status == 401)
            var bare = try await edge.connect(own)
            let secret = try await bare.hello(with: [("x-tunnel-id", own.tunnel.id), ("x-tunnel-secret", own.key.apiKey)])
            #expect(secret.text == refused.text)
        }
    }

    @Test func `a renamed tunnel answers at its new host over the same connection, and no more at the old one`() async throws {
        try await EdgeFixture.run { edge in
            let own = try await edge.createIdentity("old-name")
            var agent = try await edge.connect(own)
            _ = try await agent.hello()
            let intake = try await agent.park()
            try await edge.rename("old-name", to: "new-name")

            let old = try await edge.get(host: "old-name.localhost")
            #expect(old.head.status == 404)
            #expect(old.head.fields.first(named: "inkbox-reason") == "no-such-tunnel")
            let third = try await edge.thirdParty().call("GET", "/", host: "new-name.localhost")
            #expect(try await agent.reply(await intake.requestID(), body: "still here").status == 200)
            #expect(await third.answer().text == "still here")
            #expect(!agent.client.isClosed)
        }
    }

    @Test func `a third party that keeps its connection loses the old host too`() async throws {
        try await EdgeFixture.run { edge in
            let own = try await edge.createIdentity("old-name")
            var agent = try await edge.connect(own)
            _ = try await agent.hello()
            let intake = try await agent.park()
            let third = try await edge.thirdParty(of: own.tunnel)
            let call = try await third.call("GET", "/", host: own.tunnel.host)
            #expect(try await agent.reply(await intake.requestID()).status == 200)
            #expect(await call.answer().status == 200)
            try await edge.rename("old-name", to: "new-name")
            #expect(await (try third.call("GET", "/", host: own.tunnel.host)).answer().status == 404)
        }
    }

    @Test func `deleting an identity cuts its agent off`() async throws {
        try await EdgeFixture.run { edge in
            let own = try await edge.createIdentity("my-agent")
            var agent = try await edge.connect(own)
            _ = try await agent.hello()
            try await edge.deleteIdentity("my-agent")
            #expect(await agent.client.goodbye() == .goingAway(errorCode: 0, debugData: #"{"reason":"tunnel-deleted"}"#))
            await agent.client.closing()
            var again = try await edge.connect(own)
            #expect(try await again.hello().status == 401)
        }
    }

    @Test func `revoking a key ends what it opened; other keys of the identity serve on`() async throws {
        try await EdgeFixture.run { edge in
            let own = try await edge.createIdentity("my-agent")
            let second = try await edge.mint(own.identityID)
            var agent = try await edge.connect(own)
            _ = try await agent.hello()
            try await edge.revoke(second.record.id)
            #expect(!agent.client.isClosed)
            try await edge.revoke(own.key.record.id)
            #expect(await agent.client.goodbye() == .goingAway(errorCode: 0, debugData: #"{"reason":"key-revoked"}"#))
            await agent.client.closing()
            var again = try await edge.connect(own)
            #expect(try await again.hello().status == 401)
        }
    }

    @Test func `a hello that is under way when its key ends is refused`() async throws {
        try await EdgeFixture.run { edge in
            let own = try await edge.createIdentity("my-agent")
            let agent = try await edge.connect(own)
            // The hello has read the store, where the key still counts, and is held before its first write.
            let gate = Gate()
            edge.store.beforeWrite { await gate.arrive() }
            async let answer = agent.helloOnce()
            await gate.someoneArrived()
            let now = edge.clock.now
            edge.store.arrange { tables in tables.apiKeys[tables.apiKeys.count - 1].revokedAt = now }
            await edge.ports.events.keyEnded(own.key.record.id)
            edge.store.beforeWrite(nil)
            await gate.open()
            #expect(try await answer.status == 401)
            #expect(!edge.directory.isConnected(own.tunnel.tunnel.id))
        }
    }

    @Test func `a hello that is under way when another key ends is let in`() async throws {
        try await EdgeFixture.run { edge in
            let own = try await edge.createIdentity("my-agent")
            let agent = try await edge.connect(own)
            let gate = Gate()
            edge.store.beforeWrite { await gate.arrive() }
            async let answer = agent.helloOnce()
            await gate.someoneArrived()
            await edge.ports.events.keyEnded(UUIDValue(high: 1, low: 1))
            edge.store.beforeWrite(nil)
            await gate.open()
            #expect(try await answer.status == 200)
        }
    }
}

extension TestAgent {
    /// Says hello for its answer alone.
    fileprivate func helloOnce() async throws -> Answer {
        var copy = self
        return try await copy.hello()
    }
}

/// An identity with its tunnel and its key.
struct TestIdentity: Sendable {
    var identityID: IdentityID
    var tunnel: TestTunnel
    var key: NewAPIKey
}

extension EdgeFixture {
    /// The identity's agent, connected, before its hello.
    func connect(_ identity: TestIdentity) async throws -> TestAgent {
        var agent = try await connect(identity.tunnel)
        agent.apiKey = identity.key.apiKey
        return agent
    }

    func createIdentity(_ handle: String) async throws -> TestIdentity {
        let request = CreateIdentity.Request(handle: try AgentHandle(validating: handle))
        let snapshot = try await ports.commit { store, now in
            try CreateIdentity(ports: ports, rules: rules).decide(request, by: admin, in: store, at: now)
        }.snapshot
        return TestIdentity(
            identityID: snapshot.identity.id, tunnel: TestTunnel(tunnel: snapshot.tunnel, secret: ""),
            key: try await mint(snapshot.identity.id))
    }

    func mint(_ identityID: IdentityID) async throws -> NewAPIKey {
        let request = MintAPIKey.Request(label: "agent", identityID: identityID)
        return try await ports.commit { try MintAPIKey(ports: ports).decide(request, by: admin, in: $0, at: $1) }
    }

    func revoke(_ id: UUIDValue) async throws {
        try await ports.commit { try RevokeAPIKey(ports: ports).decide(id, by: admin, in: $0, at: $1) }
    }

    func rename(_ handle: String, to newHandle: String) async throws {
        let request = UpdateIdentity.Request(handle: try AgentHandle(validating: newHandle))
        _ = try await ports.commit { store, now in
            try UpdateIdentity(ports: ports, rules: rules)
                .decide(AgentHandle(validating: handle), request, by: admin, in: store, at: now)
        }
    }

    func deleteIdentity(_ handle: String) async throws {
        try await ports.commit {
            try DeleteIdentity(ports: ports).decide(AgentHandle(validating: handle), by: admin, in: $0, at: $1)
        }
    }
}
