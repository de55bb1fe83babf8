import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// Section 4 of the control plane: webhook signing keys.
struct SigningKeyCallsTests {
    private static let path = "/api/v1/identities/abc/signing-key"
    private static let own = "/api/v1/signing-keys"

    @Test func `a key is made, shown once, and rotated`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        #expect(try await harness.send("GET", Self.path).json == .members(["configured": .bool(false), "created_at": .null]))
        let made = try await harness.send("POST", Self.path)
        #expect(made.status == 201)
        let key = try #require(made.json["signing_key"]?.stringValue)
        #expect(WebhookSecretForm.whsec.bytes(of: key)?.count == 32)
        #expect(WebhookSecretForm.inkbox.bytes(of: key) == Array(key.dropFirst(6).utf8))
        let status = JSONValue.members(["configured": .bool(true), "created_at": .string(harness.clock.now.iso8601)])
        #expect(made.json["created_at"] == status["created_at"])
        #expect(try await harness.send("GET", Self.path).json == status)
        #expect(try await harness.send("GET", "/api/v1/identities/abc").json["signing_key_configured"] == .bool(true))

        harness.clock.advance(by: .seconds(1))
        let rotated = try await harness.send("POST", Self.path, "{}", as: .key(agent.key))
        #expect(rotated.status == 200)
        let second = try #require(rotated.json["signing_key"]?.stringValue)
        #expect(second != key)
        let ports = harness.ports
        let id = try #require(IdentityID(agent.id))
        #expect(try await ports.look { store, _ in try SigningKeys(ports: ports).signingKey(of: id, in: store) } == second)
        #expect(harness.store.contents.audit.map(\.entry.action).filter { $0 == .signingKeyRotate }.count == 2)
        #expect(!String(reflecting: harness.store.contents).contains(second))
        #expect(!(try await harness.send("GET", Self.path).text.contains(second)))
    }

    @Test func `a repeated rotation gives the same key again, to the same caller only`() async throws {
        let harness = try await APIHarness()
        let (agent, other) = (try await harness.createIdentity("abc"), try await harness.createIdentity("other"))
        let key = [("idempotency-key", "k")]
        let first = try await harness.send("POST", Self.path, as: .key(agent.key), fields: key)
        let again = try await harness.send("POST", Self.path, as: .key(agent.key), fields: key)
        #expect((first.status, again.status) == (201, 201))
        #expect(first.body == again.body)
        let stranger = try await harness.send("POST", Self.path, as: .key(other.key), fields: key)
        #expect(stranger.status != 201)
        #expect(!stranger.text.contains("whsec_"))
    }

    @Test func `without a handle an identity's key means its own, and an admin key has to say which`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        #expect(try await harness.send("GET", Self.own).json["configured"] == .bool(false))
        #expect(try await harness.send("POST", Self.own).status == 409)
        #expect(try await harness.send("POST", Self.own, as: .key(agent.key)).status == 201)
        #expect(try await harness.send("GET", Self.own, as: .key(agent.key)).json["configured"] == .bool(true))
        #expect(try await harness.send("GET", Self.own).json["configured"] == .bool(true))
        #expect(try await harness.send("GET", Self.own, as: .key(harness.foreign.apiKey)).json["configured"] == .bool(false))
    }

    @Test func `another identity's signing key is a 404 like none`() async throws {
        let harness = try await APIHarness()
        _ = try await harness.createIdentity("abc")
        let other = try await harness.createIdentity("other")
        for method in ["GET", "POST"] {
            for credential in [Credential.key(other.key), .key(harness.foreign.apiKey)] {
                let theirs = try await harness.send(method, Self.path, as: credential)
                let none = try await harness.send(method, "/api/v1/identities/nobody/signing-key", as: credential)
                #expect(theirs.status == 404)
                #expect(theirs.text == none.text)
            }
        }
    }

    @Test func `a deleted identity signs nothing, and a sealed key moved to another identity does not open`() async throws {
        let harness = try await APIHarness()
        let (agent, other) = (try await harness.createIdentity("abc"), try await harness.createIdentity("other"))
        _ = try await harness.send("POST", Self.path)
        let (id, otherID) = (try #require(IdentityID(agent.id)), try #require(IdentityID(other.id)))
        let sealed = try #require(harness.store.contents.identities[id]?.signingKey)
        let now = harness.clock.now
        harness.store.arrange { _ = try? $0.identities[otherID]?.setSigningKey(sealed: sealed.sealed, at: now) }
        let keys = SigningKeys(ports: harness.ports)
        #expect(try await harness.ports.look { store, _ in try keys.signingKey(of: id, in: store) } != nil)
        #expect(try await harness.ports.look { store, _ in try keys.signingKey(of: otherID, in: store) } == nil)
        _ = try await harness.send("DELETE", "/api/v1/identities/abc")
        #expect(try await harness.ports.look { store, _ in try keys.signingKey(of: id, in: store) } == nil)
        #expect(try await harness.send("GET", Self.path).status == 404)
    }
}
