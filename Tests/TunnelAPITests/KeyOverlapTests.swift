import TestSupport
import Testing
import TunnelDomain
import TunnelService
import TunnelWire

@testable import TunnelAPI

/// `POST /api-keys/{key_id}/rotate`: a new key in an old one's place, at once or with an overlap.
struct KeyOverlapTests {
    private static let base = "/api/v1/api-keys"

    private func rotate(
        _ harness: APIHarness, _ id: String, _ body: String = "", as credential: Credential? = nil,
        fields: [(String, String)] = []
    ) async throws -> Reply {
        try await harness.send("POST", "\(Self.base)/\(id)/rotate", body, as: credential, fields: fields)
    }

    @Test func `with an overlap both keys count until it ends, to the microsecond`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let reply = try await rotate(harness, agent.keyID, #"{"overlap_hours":2}"#)
        #expect(reply.status == 201)
        let end = harness.clock.now + .hours(2)
        let new = try #require(reply.json["api_key"]?.stringValue)
        #expect(try SecretFormat.kind(of: new) == .apiKey && new != agent.key)
        #expect(try SecretFormat.kind(of: try #require(reply.json["rotation_secret"]?.stringValue)) == .rotationSecret)
        let (record, old) = (try #require(reply.json["record"]), try #require(reply.json["replaced_record"]))
        #expect(record["scoped_identity_id"] == .string(agent.id) && record["label"] == .string("abc"))
        #expect(record["status"] == .string("active") && record["expires_at"] == .null)
        #expect(old["id"] == .string(agent.keyID) && old["status"] == .string("active"))
        #expect(old["expires_at"] == .string(end.iso8601) && old["replaced_by"] == record["id"])
        #expect(harness.events.endedKeys.isEmpty, "sessions of the old key go on")
        func works(_ key: String) async throws -> Bool {
            try await harness.send("GET", "/api/whoami", as: .key(key)).status == 200
        }
        harness.clock.advance(by: .hours(2) - .microseconds(1))
        var work = (old: try await works(agent.key), new: try await works(new))
        #expect(work == (true, true))
        harness.clock.advance(by: .microseconds(1))
        work = (old: try await works(agent.key), new: try await works(new))
        #expect(work == (false, true))
        #expect(try await harness.send("GET", "\(Self.base)/\(agent.keyID)").json["status"] == .string("revoked"))
        let audit = try #require(harness.store.contents.audit.last { $0.entry.action == .keyRotate }?.entry)
        #expect(audit.resourceID == record["id"]?.stringValue && audit.detailsJSON.contains(agent.keyID))
        #expect(audit.actor.id == harness.home.keyRecord.idText)
        #expect(harness.store.contents.events.last { $0.type == .keyRotated } != nil)
    }

    @Test func `sessions of the old key end when the overlap does, and its successor stays on record`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let successor = try await rotate(harness, agent.keyID, #"{"overlap_hours":1}"#).json["record"]?["id"]
        harness.clock.advance(by: .hours(1))
        try await SweepExpired(ports: harness.ports, rules: harness.rules)()
        #expect(harness.events.endedKeys.map { APIKeyRecord.text(of: $0) } == [agent.keyID])
        let old = try await harness.send("GET", "\(Self.base)/\(agent.keyID)").json
        #expect(old["replaced_by"] == successor && old["revoked_at"] == old["expires_at"])
    }

    @Test(arguments: ["", "{}", #"{"overlap_hours":0}"#, #"{"overlap_hours":null}"#])
    func `without an overlap the old key ends at once, with its sessions`(body: String) async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let reply = try await rotate(harness, agent.keyID, body)
        #expect(reply.status == 201)
        #expect(reply.json["replaced_record"]?["status"] == .string("revoked"))
        #expect(reply.json["replaced_record"]?["revoked_at"] == .string(harness.clock.now.iso8601))
        #expect(harness.events.endedKeys.map { APIKeyRecord.text(of: $0) } == [agent.keyID])
        #expect(try await harness.send("GET", "/api/whoami", as: .key(agent.key)).status == 401)
        let new = try #require(reply.json["api_key"]?.stringValue)
        #expect(try await harness.send("GET", "/api/whoami", as: .key(new)).status == 200)
        #expect(!harness.store.contents.audit.map(\.entry.detailsJSON).joined().contains(new))
    }

    @Test(arguments: [
        #"{"overlap_hours":169}"#, #"{"overlap_hours":-1}"#, #"{"overlap_hours":1.5}"#, #"{"overlap_hours":"2"}"#,
        #"{"overlap_hours":1e2}"#, #"{"overlap_hours":true}"#, #"{"overlap_hours":99999999999999999999}"#,
    ])
    func `an overlap has 0 to 168 whole hours`(body: String) async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let reply = try await rotate(harness, agent.keyID, body)
        #expect((reply.status, reply.pointers) == (422, ["/overlap_hours"]))
        #expect(try await harness.send("GET", "/api/whoami", as: .key(agent.key)).status == 200)
        #expect(try await rotate(harness, agent.keyID, #"{"overlap_hours":168}"#).status == 201)
    }

    @Test func `what is no object is refused`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        for body in ["[]", "7", "null", #""x""#] {
            #expect(try await rotate(harness, agent.keyID, body).status == 422, "\(body)")
        }
        #expect(try await rotate(harness, agent.keyID, "{").status == 400)
    }

    @Test func `the new key keeps owner, scopes, ranges and expiry`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let expiry = harness.clock.now + .hours(3)
        let made = try await harness.send(
            "POST", Self.base,
            #"{"label":"l","description":"d","scoped_identity_id":"\#(agent.id)","expires_at":"\#(expiry.iso8601)","#
                + #""scopes":["tunnels:read"],"allowed_ip_ranges":["192.0.2.0/24"]}"#)
        let old = try #require(made.json["record"])
        let id = try #require(old["id"]?.stringValue)
        let reply = try await rotate(harness, id, #"{"overlap_hours":168}"#)
        let new = try #require(reply.json["record"])
        for name in ["scoped_identity_id", "label", "description", "expires_at", "scopes", "allowed_ip_ranges"] {
            #expect(new[name] == old[name], "\(name)")
        }
        #expect(
            reply.json["replaced_record"]?["expires_at"] == .string(expiry.iso8601), "no key lives longer for being rotated")
    }

    @Test func `a key is rotated once: its successor is the next, and an ended one is not`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let successor = try #require(
            try await rotate(harness, agent.keyID, #"{"overlap_hours":1}"#).json["record"]?["id"]?.stringValue)
        for body in ["", #"{"overlap_hours":1}"#] {
            let again = try await rotate(harness, agent.keyID, body)
            #expect(again.status == 409 && again.detail.contains(successor))
        }
        // Nor by its agent, whose pair is not that of the last rotation any more.
        let byAgent = try await harness.send(
            "POST", "/v1/agents/self/rotate-key", #"{"rotationSecret":"\#(agent.rotationSecret)"}"#, as: .bearer(agent.key))
        #expect(byAgent.status == 401)
        #expect(try await harness.send("GET", "/api/whoami", as: .key(agent.key)).status == 200)
        // Revoking the old one ends the overlap.
        #expect(try await harness.send("DELETE", "\(Self.base)/\(agent.keyID)").status == 204)
        #expect(try await harness.send("GET", "/api/whoami", as: .key(agent.key)).status == 401)
        #expect(try await rotate(harness, successor).status == 201)
        let revoked = try await harness.createIdentity("def")
        #expect(try await harness.send("DELETE", "\(Self.base)/\(revoked.keyID)").status == 204)
        #expect(try await rotate(harness, revoked.keyID).status == 409)
    }

    @Test func `who may rotate which key`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let theirs = try await rotate(harness, agent.keyID, as: .key(harness.foreign.apiKey))
        #expect(theirs.status == 404)
        for id in ["ApiKey_00000000-0000-4000-8000-000000000000", "x"] {
            #expect(try await rotate(harness, id, as: .key(harness.foreign.apiKey)).text == theirs.text)
        }
        #expect(try await rotate(harness, agent.keyID, as: .key(agent.key)).status == 403)
        let admin = try await rotate(harness, harness.home.keyRecord.idText)
        #expect(admin.status == 403 && admin.detail.contains("culvertd init"))
        let weak = try await harness.adminKey(["keys:write", "tunnels:read"])
        let refused = try await rotate(harness, agent.keyID, as: weak)
        #expect(refused.status == 403 && refused.json["type"] == .string("urn:culvert:problem:exceeds-own-authority"))
        let reader = try #require(
            try await harness.mint(nil, scopes: ["tunnels:read"]).json["record"]?["id"]?.stringValue)
        let rotated = try await rotate(harness, reader, as: weak)
        #expect(rotated.status == 201 && rotated.json["rotation_secret"] == .null)
        let unscoped = try await harness.adminKey(["keys:read"])
        #expect(try await rotate(harness, agent.keyID, as: unscoped).json["missing_scopes"] == .strings(["keys:write"]))
        #expect(harness.store.contents.apiKeys.first { $0.idText == agent.keyID }?.revokedAt == nil)
    }

    @Test func `repeated with its idempotency key it happens once`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let fields = [("idempotency-key", "k")]
        let first = try await rotate(harness, agent.keyID, #"{"overlap_hours":1}"#, fields: fields)
        let again = try await rotate(harness, agent.keyID, #"{"overlap_hours":1}"#, fields: fields)
        #expect(first.status == 201 && again.text == first.text && again["idempotency-replayed"] == "true")
        #expect(try await rotate(harness, agent.keyID, #"{"overlap_hours":2}"#, fields: fields).status == 422)
        #expect(harness.store.contents.apiKeys.count { $0.scopedIdentityID?.text == agent.id } == 2)
    }

    @Test func `rotations of an identity's keys are limited in a day, successes only`() async throws {
        var rules = try ServiceRules(zone: Zone(validating: "localhost"))
        rules.apiKeyRotations = RateLimit(limit: 2, window: .days(1), name: "api-key-rotations")
        let harness = try await APIHarness(rules: rules)
        let (agent, other) = (try await harness.createIdentity("abc"), try await harness.createIdentity("def"))
        var id = agent.keyID
        #expect(try await rotate(harness, id, #"{"overlap_hours":999}"#).status == 422)
        for left in [1, 0] {
            let reply = try await rotate(harness, id)
            #expect(reply.status == 201 && reply["ratelimit"]?.contains("r=\(left)") == true)
            id = try #require(reply.json["record"]?["id"]?.stringValue)
            harness.clock.advance(by: .seconds(1))
        }
        let refused = try await rotate(harness, id)
        #expect(refused.status == 429 && refused["retry-after"] == "86398")
        #expect(try await rotate(harness, other.keyID).status == 201, "each identity has its own count")
        harness.clock.advance(by: .days(1) - .seconds(2))
        #expect(try await rotate(harness, id).status == 201)
    }
}
