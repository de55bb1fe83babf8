import HTTPTransport
import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// Section 5 of the control plane: an agent exchanges its own credentials.
struct KeyRotationTests {
    private static let path = "/v1/agents/self/rotate-key"

    private func rotate(
        _ harness: APIHarness, _ key: String, _ secret: String, at path: String = path, from address: String = "192.0.2.7",
        idempotencyKey: String? = nil
    ) async throws -> Reply {
        try await harness.send(
            "POST", path, bytes: Array(#"{"rotationSecret":"\#(secret)"}"#.utf8), as: .bearer(key),
            fields: idempotencyKey.map { [("idempotency-key", $0)] } ?? [], from: address)
    }

    private func credentials(_ reply: Reply) throws -> (key: String, secret: String) {
        (try #require(reply.json["apiKey"]?.stringValue), try #require(reply.json["rotationSecret"]?.stringValue))
    }

    @Test(arguments: ["/v1/agents/self/rotate-key", "/api/v1/agents/self/rotate-key", "/api/agents/self/rotate-key/"])
    func `key and secret are exchanged together, and the old ones are worth nothing`(path: String) async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let reply = try await rotate(harness, agent.key, agent.rotationSecret, at: path)
        #expect(reply.status == 200)
        #expect(reply.json["agentId"] == .string(agent.id))
        #expect(reply.json["agentName"] == .string("abc"))
        #expect(reply.json["message"]?.stringValue?.isEmpty == false)
        let new = try credentials(reply)
        #expect(try SecretFormat.kind(of: new.key) == .apiKey)
        #expect(try SecretFormat.kind(of: new.secret) == .rotationSecret)
        #expect(new.key != agent.key && new.secret != agent.rotationSecret)

        #expect(try await harness.send("GET", "/api/whoami", as: .key(agent.key)).status == 401)
        let who = try await harness.send("GET", "/api/whoami", as: .key(new.key)).json
        #expect(who["creator_type"] == .string("agent"))
        #expect(who["created_by"] == .string(agent.id))
        #expect(who["label"] == .string("abc"))
        // Neither the old pair nor a mixture of both.
        for (number, pair) in [
            (agent.key, agent.rotationSecret), (agent.key, new.secret), (new.key, agent.rotationSecret),
        ].enumerated() {
            #expect(try await rotate(harness, pair.0, pair.1, from: "198.51.100.\(number)").status == 401)
        }
        #expect(try await rotate(harness, new.key, new.secret, from: "198.51.100.9").status == 200)

        #expect(harness.events.endedKeys.first.map { APIKeyRecord.text(of: $0) } == agent.keyID)
        #expect(harness.store.contents.events.map(\.type).filter { $0 == .keyRotated }.count == 2)
        let entry = try #require(harness.store.contents.audit.map(\.entry).first { $0.action == .keyRotate })
        #expect(entry.actor == AuditActor(kind: .agent, id: agent.id, label: "abc"))
        #expect(entry.ip == "192.0.2.7")
        #expect(entry.detailsJSON.contains(agent.keyID))
    }

    @Test(arguments: ["", "{}", #"{"rotationSecret":null}"#, #"{"rotationSecret":""}"#, #"[]"#, #"{"rotation_secret":"x"}"#])
    func `without a rotation secret the answer is 400 and costs no attempt`(body: String) async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        for _ in 0..<4 { #expect(try await harness.send("POST", Self.path, body, as: .bearer(agent.key)).status == 400) }
        #expect(try await rotate(harness, agent.key, agent.rotationSecret).status == 200)
    }

    @Test func `a secret of another type is 422 and a body that is no JSON 400`() async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send("POST", Self.path, #"{"rotationSecret":7}"#)
        #expect((reply.status, reply.pointers) == (422, ["/rotationSecret"]))
        #expect(try await harness.send("POST", Self.path, "{").status == 400)
        #expect(try await harness.send("GET", Self.path).status == 405)
    }

    @Test func `whatever is wrong with the credentials, the answer is the same`() async throws {
        let harness = try await APIHarness()
        let (agent, other) = (try await harness.createIdentity("abc"), try await harness.createIdentity("other"))
        let expired = try await harness.send(
            "POST", "/api/v1/api-keys",
            #"{"label":"x","scoped_identity_id":"\#(agent.id)","expires_at":"\#((harness.clock.now + .seconds(1)).iso8601)"}"#)
        harness.clock.advance(by: .seconds(1))
        let wrong = [
            (agent.key, other.rotationSecret), (other.key, agent.rotationSecret), (agent.rotationSecret, agent.key),
            ("ApiKey_nobody", agent.rotationSecret), ("", agent.rotationSecret), (agent.key, agent.rotationSecret + "x"),
            (harness.home.apiKey + "x", "x"),
            (expired.json["api_key"]?.stringValue ?? "", expired.json["rotation_secret"]?.stringValue ?? ""),
        ]
        var texts: Set<String> = []
        for (number, pair) in wrong.enumerated() {
            let reply = try await rotate(harness, pair.0, pair.1, from: "198.51.100.\(number)")
            #expect(reply.status == 401, "\(number)")
            #expect(reply["www-authenticate"]?.hasPrefix("Bearer") == true)
            texts.insert(reply.text)
        }
        let basic = try await harness.send(
            "POST", Self.path, #"{"rotationSecret":"x"}"#, as: Credential.none,
            fields: [("authorization", "Basic YTpi")], from: "203.0.113.1")
        let none = try await harness.send(
            "POST", Self.path, #"{"rotationSecret":"x"}"#, as: Credential.none, from: "203.0.113.2")
        texts.formUnion([basic.text, none.text])
        #expect(texts.count == 1)
        #expect(try await harness.send("GET", "/api/whoami", as: .key(agent.key)).status == 200, "nothing was rotated")

        let failures = harness.store.contents.audit.map(\.entry).filter { $0.action == .authFail }
        // A key that nobody has belongs into nobody's trail.
        #expect(failures.count == 4)
        #expect(failures.allSatisfy { $0.outcome == .refused && $0.organizationID == harness.home.organization.id })
        #expect(failures.map(\.ip) == ["198.51.100.0", "198.51.100.1", "198.51.100.5", "198.51.100.7"])
    }

    @Test func `a revoked agent and a key without a rotation secret are 403 to whoever has the right ones`() async throws {
        let harness = try await APIHarness()
        let (revoked, deleted) = (try await harness.createIdentity("abc"), try await harness.createIdentity("gone"))
        _ = try await harness.send("DELETE", "/api/v1/api-keys/\(revoked.keyID)")
        _ = try await harness.send("DELETE", "/api/v1/identities/gone")
        let first = try await rotate(harness, revoked.key, revoked.rotationSecret)
        #expect(first.status == 403)
        #expect(first.detail.contains("revoked"))
        #expect(try await rotate(harness, deleted.key, deleted.rotationSecret).text == first.text)
        let admin = try await rotate(harness, harness.home.apiKey, revoked.rotationSecret)
        #expect(admin.status == 403)
        #expect(admin.detail.contains("rotation secret"))
        #expect(try await rotate(harness, revoked.key, "x", from: "198.51.100.1").status == 401)
        #expect(harness.store.contents.audit.map(\.entry.action).filter { $0 == .authFail }.count == 4)
    }

    @Test func `an address has three attempts in fifteen minutes, whatever came of them`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        var pair = (key: agent.key, secret: agent.rotationSecret)
        pair = try credentials(try await rotate(harness, pair.key, pair.secret, from: "2001:db8:0:1::1"))
        #expect(try await rotate(harness, pair.key, "wrong", from: "2001:db8:0:1::2").status == 401)
        let third = try await rotate(harness, pair.key, pair.secret, from: "2001:db8:0:1:ffff::")
        #expect(third["ratelimit"] == #""key-rotations";r=0;t=900"#)
        pair = try credentials(third)
        let late = try await rotate(harness, pair.key, pair.secret, from: "2001:db8:0:1::3")
        #expect(late.status == 429)
        #expect(late["retry-after"] == "900")
        // The neighbours' network is another address.
        pair = try credentials(try await rotate(harness, pair.key, pair.secret, from: "2001:db8:0:2::1"))
        harness.clock.advance(by: .seconds(900) - .microseconds(1))
        #expect(try await rotate(harness, pair.key, pair.secret, from: "2001:db8:0:1::1").status == 429)
        harness.clock.advance(by: .microseconds(1))
        #expect(try await rotate(harness, pair.key, pair.secret, from: "2001:db8:0:1::1").status == 200)
    }

    @Test func `the operator's limit counts`() async throws {
        var rules = ServiceRules(zone: try Zone(validating: "localhost"))
        rules.keyRotationAttempts = RateLimit(limit: 0, window: .seconds(900), name: "key-rotations")
        let harness = try await APIHarness(rules: rules)
        let agent = try await harness.createIdentity("abc")
        #expect(try await rotate(harness, agent.key, agent.rotationSecret).status == 429)
    }
}

// MARK: - Repeating

extension KeyRotationTests {
    @Test func `a lost answer is had again with the old credentials, as often as it takes`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let first = try await rotate(harness, agent.key, agent.rotationSecret, idempotencyKey: "k")
        #expect(first.status == 200)
        for path in ["/v1/agents/self/rotate-key", "/api/agents/self/rotate-key"] {
            for _ in 0..<3 {
                let again = try await rotate(harness, agent.key, agent.rotationSecret, at: path, idempotencyKey: "k")
                #expect((again.status, again["idempotency-replayed"]) == (200, "true"))
                #expect(again.body == first.body)
            }
        }
        #expect(harness.store.contents.apiKeys.count == 4, "two admin keys, the old one, the new one")
        harness.clock.advance(by: .hours(24) - .microseconds(1))
        #expect(try await rotate(harness, agent.key, agent.rotationSecret, idempotencyKey: "k").body == first.body)
        harness.clock.advance(by: .microseconds(1))
        #expect(try await rotate(harness, agent.key, agent.rotationSecret, idempotencyKey: "k").status == 401)
    }

    @Test func `half of the old credentials gets nothing again, and cannot overwrite what is kept`() async throws {
        let harness = try await APIHarness()
        let (agent, other) = (try await harness.createIdentity("abc"), try await harness.createIdentity("other"))
        let first = try await rotate(harness, agent.key, agent.rotationSecret, idempotencyKey: "k")
        let wrong = [
            (agent.key, "guessed"), (agent.key, other.rotationSecret), (other.key, agent.rotationSecret),
            ("ApiKey_nobody", agent.rotationSecret), (harness.foreign.apiKey, agent.rotationSecret),
        ]
        for (number, pair) in wrong.enumerated() {
            let reply = try await rotate(
                harness, pair.0, pair.1, from: "198.51.100.\(number)", idempotencyKey: "k")
            #expect([401, 403].contains(reply.status), "\(number)")
            #expect(!reply.text.contains("ApiKey_") && reply["idempotency-replayed"] == nil)
        }
        #expect(try await rotate(harness, agent.key, agent.rotationSecret, idempotencyKey: "k").body == first.body)
    }

    @Test func `a key that was used for another request is 422 to the right credentials only`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        _ = try await harness.send("POST", "/api/v1/tunnels", #"{"tunnel_name":"taken"}"#, fields: [("idempotency-key", "k")])
        #expect(try await rotate(harness, agent.key, "wrong", idempotencyKey: "k").status == 401)
        let right = try await rotate(harness, agent.key, agent.rotationSecret, idempotencyKey: "k")
        #expect(right.status == 422)
        #expect(right.pointers == ["Idempotency-Key"])
        #expect(try await harness.send("GET", "/api/whoami", as: .key(agent.key)).status == 200, "nothing was rotated")
        #expect(try await rotate(harness, agent.key, agent.rotationSecret, idempotencyKey: "l").status == 200)
        let long = try await rotate(
            harness, agent.key, agent.rotationSecret, from: "198.51.100.1", idempotencyKey: String(repeating: "k", count: 256))
        #expect(long.status == 422)
    }

    @Test func `a fault of the store rotates nothing and may be tried again`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        harness.store.failCommits(with: .full)
        #expect(try await rotate(harness, agent.key, agent.rotationSecret, idempotencyKey: "k").status == 507)
        harness.store.failCommits(with: nil)
        #expect(try await rotate(harness, agent.key, agent.rotationSecret, idempotencyKey: "k").status == 200)
        #expect(harness.events.endedKeys.count == 1)
    }

    @Test(.timeLimit(.minutes(5))) func `of many rotations at once one counts, and nobody is left without credentials`()
        async throws
    {
        var rules = ServiceRules(zone: try Zone(validating: "localhost"))
        rules.keyRotationAttempts = RateLimit(limit: 100, window: .seconds(900), name: "key-rotations")
        let harness = try await APIHarness(rules: rules)
        let agent = try await harness.createIdentity("abc")
        let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
            for _ in 0..<20 { group.addTask { try await rotate(harness, agent.key, agent.rotationSecret) } }
            return try await group.reduce(into: [Reply]()) { $0.append($1) }
        }
        #expect(replies.count { $0.status == 200 } == 1)
        #expect(replies.count { $0.status == 401 } == 19)
        let new = try credentials(try #require(replies.first { $0.status == 200 }))
        #expect(try await harness.send("GET", "/api/whoami", as: .key(new.key)).status == 200)
    }

    @Test func `the end that an organization has set stays where it was`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let end = harness.clock.now + .hours(1)
        let made = try await harness.send(
            "POST", "/api/v1/api-keys",
            #"{"label":"x","description":"y","scoped_identity_id":"\#(agent.id)","expires_at":"\#(end.iso8601)"}"#)
        let key = try #require(made.json["api_key"]?.stringValue)
        let secret = try #require(made.json["rotation_secret"]?.stringValue)
        let new = try credentials(try await rotate(harness, key, secret))
        harness.clock.advance(by: .hours(1) - .microseconds(1))
        #expect(try await harness.send("GET", "/api/whoami", as: .key(new.key)).json["description"] == .string("y"))
        harness.clock.advance(by: .microseconds(1))
        #expect(try await harness.send("GET", "/api/whoami", as: .key(new.key)).status == 401)
        #expect(try await harness.send("GET", "/api/whoami", as: .key(agent.key)).status == 200, "the other key lives")
    }
}
