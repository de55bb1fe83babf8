import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// Section 4 of the control plane: API keys and whoami.
struct APIKeyCallsTests {
    private static let base = "/api/v1/api-keys"

    @Test func `a key is shown once, with its rotation secret and its record`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let reply = try await harness.send(
            "POST", Self.base,
            #"{"label":"agent key","description":"for it","expires_at":"2026-05-01T00:00:00Z","#
                + #""scoped_identity_id":"\#(agent.id)"}"#
        )
        #expect(reply.status == 201)
        let key = try #require(reply.json["api_key"]?.stringValue)
        let secret = try #require(reply.json["rotation_secret"]?.stringValue)
        #expect(try SecretFormat.kind(of: key) == .apiKey)
        #expect(try SecretFormat.kind(of: secret) == .rotationSecret)
        let record = try #require(reply.json["record"])
        #expect(record["scoped_identity_id"] == .string(agent.id))
        #expect(record["created_by"] == .string(harness.home.keyRecord.idText))
        #expect(record["creator_type"] == .string("human"))
        #expect(record["status"] == .string("active"))
        #expect(record["last4"] == .string(String(key.suffix(4))))
        #expect(record["display_prefix"] == .string(String(key.prefix(11))))
        #expect(record["expires_at"] == .string("2026-05-01T00:00:00Z"))
        for name in ["last_used_at", "revoked_at"] { #expect(record[name] == .null, "\(name)") }
        let id = try #require(record["id"]?.stringValue)
        #expect(try await harness.send("GET", "\(Self.base)/\(id)").json == record)
        let list = try await harness.send("GET", Self.base)
        #expect(list.text.contains(id) && list.text.contains(agent.keyID) && list.text.contains(harness.home.keyRecord.idText))
        #expect(!list.text.contains(key) && !list.text.contains(secret))
        #expect(harness.store.contents.events.last?.type == .keyCreated)
        #expect(harness.store.contents.audit.last?.entry.action == .keyCreate)
        #expect(harness.store.contents.audit.last?.entry.resourceID == id)
    }

    @Test func `an admin key mints keys of its own identities and nothing else`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        for body in [#"{"label":"another admin"}"#, #"{"label":"another admin","scoped_identity_id":null}"#] {
            #expect(try await harness.send("POST", Self.base, body).status == 403)
        }
        let body = #"{"label":"x","scoped_identity_id":"\#(agent.id)"}"#
        let theirs = try await harness.send("POST", Self.base, body, as: .key(harness.foreign.apiKey))
        let none = try await harness.send(
            "POST", Self.base, #"{"label":"x","scoped_identity_id":"00000000-0000-4000-8000-000000000000"}"#,
            as: .key(harness.foreign.apiKey))
        #expect(theirs.status == 404)
        #expect(theirs.text == none.text)
        _ = try await harness.send("DELETE", "/api/v1/identities/abc")
        #expect(try await harness.send("POST", Self.base, body).status == 404)
        #expect(harness.store.contents.apiKeys.count == 3)
    }

    @Test(arguments: [
        (#"{}"#, "/label"), (#"{"label":""}"#, "/label"), (#"{"label":7}"#, "/label"), (#"{"label":"a\u0000"}"#, "/label"),
        (#"{"label":"\#(String(repeating: "x", count: 256))"}"#, "/label"),
        (#"{"label":"x","description":7}"#, "/description"),
        (#"{"label":"x","description":"\#(String(repeating: "x", count: 1001))"}"#, "/description"),
        (#"{"label":"x","scoped_identity_id":"abc"}"#, "/scoped_identity_id"),
        (#"{"label":"x","expires_at":"tomorrow"}"#, "/expires_at"),
    ])
    func `what breaks a rule is 422`(body: String, pointer: String) async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send("POST", Self.base, body)
        #expect((reply.status, reply.pointers) == (422, [pointer]))
    }

    @Test func `an expiry lies in the future and ends the key when it comes`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        func mint(_ expiry: Timestamp) async throws -> Reply {
            try await harness.send(
                "POST", Self.base, #"{"label":"x","scoped_identity_id":"\#(agent.id)","expires_at":"\#(expiry.iso8601)"}"#)
        }
        let refused = try await mint(harness.clock.now)
        #expect((refused.status, refused.pointers) == (422, ["/expires_at"]))
        let made = try await mint(harness.clock.now + .microseconds(1))
        let key = try #require(made.json["api_key"]?.stringValue)
        #expect(try await harness.send("GET", "/api/whoami", as: .key(key)).status == 200)
        harness.clock.advance(by: .microseconds(1))
        #expect(try await harness.send("GET", "/api/whoami", as: .key(key)).status == 401)
        let id = try #require(made.json["record"]?["id"]?.stringValue)
        #expect(try await harness.send("GET", "\(Self.base)/\(id)").json["status"] == .string("revoked"))
    }

    @Test func `a revoked key is refused at the next request, and revoking it again changes nothing`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        #expect(try await harness.send("DELETE", "\(Self.base)/\(agent.keyID)").status == 204)
        #expect(try await harness.send("GET", "/api/whoami", as: .key(agent.key)).status == 401)
        let record = try await harness.send("GET", "\(Self.base)/\(agent.keyID)").json
        #expect(record["status"] == .string("revoked"))
        #expect(record["revoked_at"] == .string(harness.clock.now.iso8601))
        harness.clock.advance(by: .seconds(9))
        let auditCount = harness.store.contents.audit.count
        #expect(try await harness.send("DELETE", "\(Self.base)/\(agent.keyID)").status == 204)
        #expect(try await harness.send("GET", "\(Self.base)/\(agent.keyID)").json == record)
        #expect(harness.store.contents.audit.count == auditCount)
        #expect(harness.events.endedKeys.count == 1)
        #expect(harness.store.contents.events.last?.type == .keyRevoked)
    }

    @Test func `another organization's key is a 404 like none, and identities' keys manage no keys`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let foreign = Credential.key(harness.foreign.apiKey)
        for method in ["GET", "DELETE"] {
            let theirs = try await harness.send(method, "\(Self.base)/\(agent.keyID)", as: foreign)
            #expect(theirs.status == 404)
            for id in ["ApiKey_00000000-0000-4000-8000-000000000000", "ApiKey_x", "x", String(agent.keyID.dropFirst(7))] {
                #expect(try await harness.send(method, "\(Self.base)/\(id)", as: foreign).text == theirs.text)
            }
            #expect(try await harness.send(method, "\(Self.base)/\(agent.keyID)", as: .key(agent.key)).status == 403)
        }
        #expect(try await harness.send("GET", Self.base, as: .key(agent.key)).status == 403)
        let body = #"{"label":"x","scoped_identity_id":"\#(agent.id)"}"#
        #expect(try await harness.send("POST", Self.base, body, as: .key(agent.key)).status == 403)
        #expect(try await harness.send("GET", "/api/whoami", as: .key(agent.key)).status == 200, "it still counts")
    }

    @Test(arguments: ["/api/whoami", "/api/v1/whoami"])
    func `whoami tells the credential's own record, with times as Unix seconds`(path: String) async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        harness.clock.advance(by: .microseconds(1_500_007))
        let admin = try await harness.send("GET", path).json
        #expect(admin["auth_type"] == .string("api_key"))
        #expect(admin["auth_subtype"] == .string("api_key.admin_scoped"))
        #expect(admin["organization_id"] == .string(harness.home.organization.id.text))
        #expect(admin["key_id"] == .string(harness.home.keyRecord.idText))
        #expect(admin["label"] == .string("home"))
        #expect(admin["created_at"] == .number("1776774600.000000"))
        #expect(admin["expires_at"] == .null)

        let own = try await harness.send("GET", path, as: .bearer(agent.key)).json
        #expect(own["auth_subtype"] == .string("api_key.agent_scoped.claimed"))
        #expect(own["key_id"] == .string(agent.keyID))
        #expect(own["scoped_identity_id"] == .string(agent.id))
        #expect(own["last_used_at"] == .number("1776774601.500007"))
        #expect(try await harness.send("GET", path, as: Credential.none).status == 401)
    }

    @Test func `the last use is written down at most once a minute`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        func lastUse() -> Timestamp? { harness.store.contents.apiKeys.last?.lastUsedAt }
        let start = harness.clock.now
        _ = try await harness.send("GET", "/api/whoami", as: .key(agent.key))
        harness.clock.advance(by: .seconds(60) - .microseconds(1))
        _ = try await harness.send("GET", "/api/whoami", as: .key(agent.key))
        #expect(lastUse() == start)
        harness.clock.advance(by: .microseconds(1))
        _ = try await harness.send("GET", "/api/whoami", as: .key(agent.key))
        #expect(lastUse() == start + .seconds(60))
    }
}
