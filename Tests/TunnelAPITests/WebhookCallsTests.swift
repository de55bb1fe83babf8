import TestSupport
import Testing
import TunnelDomain
import TunnelService
import TunnelWire

/// Webhook subscriptions and deliveries as a client sees them.
struct WebhookCallsTests {
    private static let base = "/api/v1/webhooks/subscriptions"
    private static let plain = #"{"url":"https://example.com/hooks","event_types":["tunnel.*"]}"#

    private func create(_ harness: APIHarness, _ body: String = plain) async throws -> Reply {
        try await harness.send("POST", Self.base, body)
    }

    private func id(_ reply: Reply) throws -> String { try #require(reply.json["id"]?.stringValue, "\(reply.text)") }

    @Test func `a subscription is made, shown without its secret, changed and deleted`() async throws {
        let harness = try await APIHarness()
        let created = try await create(harness)
        #expect(created.status == 201)
        let secret = try #require(created.json["secret"]?.stringValue)
        #expect(secret.hasPrefix("whsec_") && WebhookSecretForm.whsec.bytes(of: secret)?.count == 32)
        let path = try Self.base + "/" + id(created)
        let shown = try await harness.send("GET", path)
        #expect(shown.status == 200 && !shown.text.contains(secret) && shown.json["secret"] == nil)
        for name in ["id", "organization_id", "url", "event_types", "status", "created_at", "updated_at"] {
            #expect(shown.json[name] == created.json[name] && shown.json[name] != nil, "\(name)")
        }
        harness.clock.advance(by: .seconds(1))
        let changed = try await harness.send(
            "PATCH", path, #"{"url":"https://example.org/","event_types":["*"],"description":"d"}"#)
        #expect(changed.json["url"] == .string("https://example.org/"))
        #expect(changed.json["event_types"] == .array([.string("*")]))
        #expect(changed.json["description"] == .string("d"))
        #expect(changed.json["updated_at"] != shown.json["updated_at"])
        #expect(try await harness.send("PATCH", path, "{}").json == changed.json)
        #expect(try await harness.send("PATCH", path, #"{"description":null}"#).json["description"] == .null)
        #expect(try await harness.send("DELETE", path).status == 204)
        #expect(try await harness.send("GET", path).status == 404)
        #expect(try await harness.send("DELETE", path).status == 404)
        #expect(!harness.store.contents.audit.contains { $0.entry.detailsJSON.contains(secret) })
        let actions = harness.store.contents.audit.map(\.entry.action).suffix(4)
        #expect(actions == [.webhookCreate, .webhookUpdate, .webhookUpdate, .webhookDelete])
    }

    @Test(arguments: [
        (#"{"event_types":["*"]}"#, ["/url"]), (#"{"url":7,"event_types":["*"]}"#, ["/url"]),
        (#"{"url":"http://example.com/","event_types":["*"]}"#, ["/url"]),
        (#"{"url":"ftp://example.com/","event_types":["*"]}"#, ["/url"]),
        (#"{"url":"https://127.0.0.1/","event_types":["*"]}"#, ["/url"]),
        (#"{"url":"https://[::ffff:10.0.0.1]/","event_types":["*"]}"#, ["/url"]),
        (#"{"url":"https://169.254.169.254/latest","event_types":["*"]}"#, ["/url"]),
        (#"{"url":"https://localhost/","event_types":["*"]}"#, ["/url"]),
        (#"{"url":"https://a.localhost/","event_types":["*"]}"#, ["/url"]),
        (#"{"url":"https://u:p@example.com/","event_types":["*"]}"#, ["/url"]),
        (#"{"url":"https://example.com/"}"#, ["/event_types"]),
        (#"{"url":"https://example.com/","event_types":[]}"#, ["/event_types"]),
        (#"{"url":"https://example.com/","event_types":"*"}"#, ["/event_types"]),
        (#"{"url":"https://example.com/","event_types":[7]}"#, ["/event_types"]),
        (#"{"url":"https://example.com/","event_types":["*","message.received"]}"#, ["/event_types/1"]),
        (#"{"url":"https://example.com/","event_types":["*"],"agent_identity_id":"x"}"#, ["/agent_identity_id"]),
        (
            #"{"url":"https://example.com/","event_types":["*"],"mailbox_id":"x","auth_token":"t"}"#,
            ["/mailbox_id", "/auth_token"]
        ),
        (#"{}"#, ["/url", "/event_types"]),
    ])
    func `what is wrong is named`(body: String, pointers: [String]) async throws {
        let harness = try await APIHarness()
        let reply = try await create(harness, body)
        #expect(reply.status == 422 && reply.pointers == pointers, "\(reply.text)")
        #expect(harness.store.contents.webhooks.isEmpty)
    }

    @Test func `an operator may allow clear text and every address`() async throws {
        var rules = ServiceRules(zone: try Zone(validating: "localhost"))
        rules.webhooks.allowsHTTP = true
        rules.webhooks.allowsPrivateAddresses = true
        let harness = try await APIHarness(rules: rules)
        #expect(try await create(harness, #"{"url":"http://127.0.0.1:9/","event_types":["*"]}"#).status == 201)
    }

    @Test func `a repeated create under one key makes one subscription and shows the same secret`() async throws {
        let harness = try await APIHarness()
        let fields = [("idempotency-key", "k")]
        let first = try await harness.send("POST", Self.base, Self.plain, fields: fields)
        let again = try await harness.send("POST", Self.base, Self.plain, fields: fields)
        #expect(first.text == again.text && again["idempotency-replayed"] == "true")
        #expect(harness.store.contents.webhooks.count == 1)
    }

    @Test func `an organization has as many as it may`() async throws {
        var rules = ServiceRules(zone: try Zone(validating: "localhost"))
        rules.webhooks.perOrganizationMax = 2
        let harness = try await APIHarness(rules: rules)
        for status in [201, 201, 409] { #expect(try await create(harness).status == status) }
        #expect(try await harness.send("POST", Self.base, Self.plain, as: .key(harness.foreign.apiKey)).status == 201)
    }

    @Test func `lists come in pages and can be filtered`() async throws {
        let harness = try await APIHarness()
        for number in 0..<3 {
            harness.clock.advance(by: .seconds(1))
            _ = try await create(harness, #"{"url":"https://example.com/\#(number)","event_types":["tunnel.created"]}"#)
        }
        func urls(_ query: String) async throws -> [String] {
            let reply = try await harness.send("GET", Self.base + query)
            guard case .array(let list) = reply.json["subscriptions"] else { return [] }
            return list.compactMap { $0["url"]?.stringValue }
        }
        #expect(try await urls("") == [2, 1, 0].map { "https://example.com/\($0)" })
        #expect(try await urls("?limit=1") == ["https://example.com/2"])
        #expect(try await urls("?url=https://example.com/1") == ["https://example.com/1"])
        #expect(try await urls("?event_type=tunnel.created").count == 3)
        #expect(try await urls("?event_type=tunnel.*").isEmpty)
        #expect(try await urls("?agent_identity_id=00000000-0000-4000-8000-000000000000").isEmpty)
        #expect(try await harness.send("GET", Self.base + "?agent_identity_id=x").status == 422)
    }

    @Test func `what belongs to another organization is not there`() async throws {
        let harness = try await APIHarness()
        let webhook = try await id(create(harness))
        _ = try await harness.createTunnel("my-agent")
        let delivery = try #require(harness.store.contents.deliveries.keys.first).text
        let none = "00000000-0000-4000-8000-000000000000"
        for (method, path) in [
            ("GET", "\(Self.base)/ID"), ("PATCH", "\(Self.base)/ID"), ("DELETE", "\(Self.base)/ID"),
            ("POST", "\(Self.base)/ID/rotate-secret"), ("GET", "\(Self.base)/ID/deliveries"),
            ("GET", "/api/v1/webhooks/deliveries/DELIVERY"), ("POST", "/api/v1/webhooks/deliveries/DELIVERY/replay"),
        ] {
            let body = method == "PATCH" ? "{}" : ""
            func filled(_ webhook: String, _ delivery: String) -> String {
                path.replacing("ID", with: webhook).replacing("DELIVERY", with: delivery)
            }
            let foreign = try await harness.send(method, filled(webhook, delivery), body, as: .key(harness.foreign.apiKey))
            let unknown = try await harness.send(method, filled(none, none), body)
            #expect(foreign.status == 404 && unknown.status == 404, "\(method) \(path)")
            #expect(foreign.text == unknown.text)
        }
        #expect(harness.store.contents.webhooks.count == 1)
    }

    @Test func `identities' keys may not`() async throws {
        let harness = try await APIHarness()
        let agent = try harness.arrangeIdentityTunnel("my-agent")
        for method in ["GET", "POST"] {
            #expect(
                try await harness.send(method, Self.base, method == "POST" ? Self.plain : "", as: .key(agent.key)).status == 403
            )
        }
    }

    @Test func `a change makes its deliveries, which are shown and delivered again`() async throws {
        let harness = try await APIHarness()
        let webhook = try await id(create(harness))
        let tunnel = try await harness.createTunnel("my-agent")
        let list = try await harness.send("GET", "\(Self.base)/\(webhook)/deliveries")
        guard case .array(let deliveries) = list.json["deliveries"], let delivery = deliveries.first else {
            Issue.record("\(list.text)")
            return
        }
        #expect(deliveries.count == 1)
        #expect(delivery["status"] == .string("pending") && delivery["event_type"] == .string("tunnel.created"))
        #expect(delivery["attempt_count"] == .number("0") && delivery["last_status"] == .null)
        let event = try #require(harness.store.contents.events.last { $0.type == .tunnelCreated })
        #expect(delivery["webhook_id"] == .string(event.id.text))
        #expect(harness.store.contents.deliveries.values.first?.body.contains(tunnel.secret) == false)

        let path = "/api/v1/webhooks/deliveries/" + (delivery["id"]?.stringValue ?? "")
        #expect(try await harness.send("GET", path).json == delivery)
        let replay = try await harness.send("POST", path + "/replay")
        #expect(replay.status == 202 && replay.json["replay_of"] == delivery["id"])
        #expect(replay.json["webhook_id"] == delivery["webhook_id"] && replay.json["id"] != delivery["id"])
        #expect(harness.store.contents.deliveries.count == 2)
    }

    @Test func `a change that is rolled back makes no delivery`() async throws {
        let harness = try await APIHarness()
        _ = try await create(harness)
        harness.store.failCommits(with: .full)
        #expect(try await harness.send("POST", "/api/v1/tunnels", #"{"tunnel_name":"my-agent"}"#).status == 507)
        harness.store.failCommits(with: nil)
        #expect(harness.store.contents.deliveries.isEmpty)
    }

    @Test func `a rotated secret is new and shown once`() async throws {
        let harness = try await APIHarness()
        let created = try await create(harness)
        let rotated = try await harness.send("POST", try "\(Self.base)/\(id(created))/rotate-secret")
        #expect(rotated.status == 200)
        #expect(rotated.json["secret"]?.stringValue?.hasPrefix("whsec_") == true)
        #expect(rotated.json["secret"] != created.json["secret"])
    }
}
