import TestSupport
import Testing
import TunnelDomain
import TunnelService

/// The data plane's section 2: who is let in, and who hears which refusal.
struct AuthorizeHelloTests {
    private func hello(_ harness: ServiceHarness, _ id: String, _ credential: AgentCredential) async throws -> Int {
        try await AuthorizeHello(ports: harness.ports)(tunnelID: id, credential: credential).refusalStatus ?? 200
    }

    @Test func `the connect secret of an active tunnel is accepted and identified by its hash`() async throws {
        let harness = try await ServiceHarness()
        let created = try await harness.create("my-agent")
        let id = created.snapshot.tunnel.id
        let decision = try await AuthorizeHello(ports: harness.ports)(
            tunnelID: id.text, credential: .connectSecret(created.connectSecret))
        let hash = harness.ports.hasher.hash(ofSecret: created.connectSecret)
        #expect(decision == .accept(created.snapshot.tunnel, CredentialIdentity(kind: .connectSecret, hash: hash)))
    }

    @Test func `a wrong secret and an unknown tunnel are the same 401`() async throws {
        let harness = try await ServiceHarness()
        let one = try await harness.create("one")
        let two = try await harness.create("two")
        let authorize = AuthorizeHello(ports: harness.ports)
        let unknown = "00000000-0000-4000-8000-000000000000"
        let zeros = "00000000-0000-0000-0000-000000000000"
        for (id, secret) in [
            (one.snapshot.tunnel.id.text, two.connectSecret), (one.snapshot.tunnel.id.text, ""), (unknown, one.connectSecret),
            (zeros, one.connectSecret), ("", one.connectSecret), ("x", one.connectSecret),
            (one.snapshot.tunnel.id.text + "0", one.connectSecret), (one.snapshot.tunnel.id.text, one.connectSecret + " "),
        ] {
            #expect(try await authorize(tunnelID: id, credential: .connectSecret(secret)) == .refuseCredential)
        }
    }

    @Test func `after a rotation only the new secret is accepted`() async throws {
        let harness = try await ServiceHarness()
        let created = try await harness.create("my-agent")
        let id = created.snapshot.tunnel.id
        let new = try await harness.rotate(id)
        #expect(try await hello(harness, id.text, .connectSecret(created.connectSecret)) == 401)
        #expect(try await hello(harness, id.text, .connectSecret(new)) == 200)
    }

    @Test func `a tunnel that is being deleted or gone is 403 for its own agent and 401 for others`() async throws {
        let harness = try await ServiceHarness()
        let created = try await harness.create("my-agent")
        let id = created.snapshot.tunnel.id
        let own: [AgentCredential] = [.connectSecret(created.connectSecret), .apiKey(harness.home.apiKey)]
        let others: [AgentCredential] = [.connectSecret("tnl_x"), .apiKey(harness.foreign.apiKey), .apiKey("x")]
        func expectRefused() async throws {
            for credential in own { #expect(try await hello(harness, id.text, credential) == 403) }
            for credential in others { #expect(try await hello(harness, id.text, credential) == 401) }
        }
        try await harness.delete(id)
        try await expectRefused()
        harness.clock.advance(by: .hours(24) - .microseconds(1))
        try await harness.restore(id)
        for credential in own { #expect(try await hello(harness, id.text, credential) == 200) }
        try await harness.delete(id)
        harness.clock.advance(by: .hours(24))
        try await expectRefused()
        try await SweepExpired(ports: harness.ports, rules: harness.rules)()
        try await expectRefused()
    }

    @Test func `a passthrough tunnel may say hello before it has a certificate`() async throws {
        let harness = try await ServiceHarness()
        let created = try await harness.create("my-agent", tlsMode: .passthrough)
        let id = created.snapshot.tunnel.id
        #expect(try await hello(harness, id.text, .connectSecret(created.connectSecret)) == 200)
        try await harness.delete(id)
        #expect(try await hello(harness, id.text, .connectSecret(created.connectSecret)) == 403)
    }

    @Test func `an API key connects what its owner may connect`() async throws {
        let harness = try await ServiceHarness()
        let mine = IdentityID(randomBytes: harness.ports.randomness.bytes(16))
        let other = IdentityID(randomBytes: harness.ports.randomness.bytes(16))
        let key = harness.arrangeIdentityKey(mine)
        let own = try harness.arrangeIdentityTunnel("own", of: mine).id.text
        let foreign = try harness.arrangeIdentityTunnel("foreign", of: other).id.text
        let alone = try await harness.create("alone").snapshot.tunnel.id.text
        let unknown = "00000000-0000-4000-8000-000000000000"
        #expect(try await hello(harness, own, .apiKey(key)) == 200)
        for id in [foreign, alone, unknown] { #expect(try await hello(harness, id, .apiKey(key)) == 401) }
        for id in [own, foreign, alone] { #expect(try await hello(harness, id, .apiKey(harness.home.apiKey)) == 200) }
        for id in [own, foreign, alone] { #expect(try await hello(harness, id, .apiKey(harness.foreign.apiKey)) == 401) }
        // An identity's tunnel has no connect secret, so none fits.
        #expect(try await hello(harness, own, .connectSecret("")) == 401)
    }

    @Test func `a revoked key is 401 at once`() async throws {
        let harness = try await ServiceHarness()
        let id = try await harness.create("my-agent").snapshot.tunnel.id.text
        #expect(try await hello(harness, id, .apiKey(harness.home.apiKey)) == 200)
        let now = harness.clock.now
        harness.store.arrange { $0.apiKeys[0].revokedAt = now }
        #expect(try await hello(harness, id, .apiKey(harness.home.apiKey)) == 401)
    }

    @Test func `a connect secret is no API key and the other way round`() async throws {
        let harness = try await ServiceHarness()
        let created = try await harness.create("my-agent")
        let id = created.snapshot.tunnel.id.text
        #expect(try await hello(harness, id, .apiKey(created.connectSecret)) == 401)
        #expect(try await hello(harness, id, .connectSecret(harness.home.apiKey)) == 401)
    }
}
