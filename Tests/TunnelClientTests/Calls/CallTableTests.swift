internal import FoundationEssentials
internal import Testing
internal import TunnelClient

/// Every call beside those on tunnels: what goes over the wire, what its answer becomes, and what a refusal becomes.
struct CallTableTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var call: String
        var body: String
        /// The `Idempotency-Key`; calls that create or rotate have one.
        var isKeyed = false
        var status = 200
        var answer: String
        var perform: @Sendable (CulvertClient) async throws -> Void
        var testDescription: String { call }
    }

    private static func row(
        _ call: String, _ body: String = "", isKeyed: Bool = false, _ status: Int = 200, _ answer: String,
        _ perform: @escaping @Sendable (CulvertClient) async throws -> Void
    ) -> Row {
        Row(call: call, body: body, isKeyed: isKeyed, status: status, answer: answer, perform: perform)
    }

    static let rows = identities + keys + apps + records + webhooks

    @Test(arguments: rows)
    func `a call goes out as the contract says, and its answer is read`(row: Row) async throws {
        let scripted = try ScriptedClient([.json(row.status, row.answer)])
        try await row.perform(scripted.client)
        let request = try #require(scripted.transport.sent.first)
        #expect("\(request.method) \(request.target)" == row.call)
        #expect(String(decoding: request.body, as: UTF8.self) == row.body)
        #expect(request.first("idempotency-key") == (row.isKeyed ? "key-1" : nil))
        #expect(request.first("content-type") == (row.body.isEmpty ? nil : "application/json"))
        #expect((request.first("x-api-key") == "ApiKey_test") != (request.first("authorization") == "Bearer ApiKey_test"))
        #expect(scripted.transport.sent.count == 1)
    }

    @Test(arguments: rows, [400, 401, 403, 404, 409, 413, 422, 429, 500])
    func `a refusal is told as it came, and not repeated`(row: Row, status: Int) async throws {
        let scripted = try ScriptedClient([.json(status, #"{"detail":"because"}"#, fields: [("x-request-id", "r-1")])])
        await #expect(throws: ClientError.refused(ServerRefusal(status: status, detail: "because", requestID: "r-1"))) {
            try await row.perform(scripted.client)
        }
        #expect(scripted.transport.sent.count == 1)
    }

    @Test(arguments: rows)
    func `what can do no harm twice is repeated, with the same key`(row: Row) async throws {
        let scripted = try ScriptedClient([.fail(.connectionLost(reason: "reset")), .json(row.status, row.answer)])
        let mayRepeat = row.isKeyed || row.call.hasPrefix("GET ")
        if mayRepeat {
            try await row.perform(scripted.client)
            #expect(
                scripted.transport.sent.map { $0.first("idempotency-key") } == (row.isKeyed ? ["key-1", "key-1"] : [nil, nil]))
            #expect(scripted.transport.sent[0].body == scripted.transport.sent[1].body)
        } else {
            await #expect(throws: ClientError.noAnswer(.connectionLost(reason: "reset"))) {
                try await row.perform(scripted.client)
            }
            #expect(scripted.transport.sent.count == 1)
        }
    }

    @Test(arguments: rows.filter { $0.status != 204 })
    func `an answer outside the contract is told`(row: Row) async throws {
        let scripted = try ScriptedClient([.json(row.status, "<html>")])
        await #expect(throws: ClientError.self) { try await row.perform(scripted.client) }
    }

    @Test func `a repeated creation whose first attempt still runs is waited for`() async throws {
        let inFlight = #"{"type":"https://x/problems/idempotency-key-in-flight","detail":"still running"}"#
        let scripted = try ScriptedClient([
            .fail(.connectionLost(reason: "reset")), .json(409, inFlight), .json(201, Self.createdApp),
        ])
        _ = try await scripted.client.createApp(named: "ci", scopes: [])
        #expect(scripted.transport.sent.count == 3)
    }
}

// MARK: - The table

extension CallTableTests {
    static let identity = """
        {"id": "i1", "organization_id": "org_1", "agent_handle": "my-agent", "display_name": "My agent", "description": null,
         "email_address": null, "mailbox": null, "created_at": "2026-04-21T12:30:00Z", "updated_at": "2026-04-21T12:30:00Z",
         "tunnel": {"id": "t1", "tunnel_name": "my-agent", "agent_identity_id": "i1", "tls_mode": "later_mode",
                    "status": "later_status", "public_host": "my-agent.tunnels.example", "zone": "tunnels.example",
                    "created_at": "2026-04-21T12:30:00Z", "updated_at": "2026-04-21T12:30:00Z", "later": 1}}
        """

    private static let identities = [
        row("POST /api/v1/identities", #"{"agent_handle":"my-agent"}"#, isKeyed: true, 201, identity) {
            let made = try await $0.createIdentity(handle: "my-agent")
            #expect(made.agentHandle == "my-agent" && made.tunnel?.publicHost == "my-agent.tunnels.example")
            #expect(made.tunnel?.status == .unknown("later_status"), "a word that is not known is kept")
            #expect(made.displayName == "My agent" && made.description == nil)
        },
        row(
            "POST /api/v1/identities",
            #"{"agent_handle":"a","description":"d","display_name":"n","tunnel":{"tls_mode":"passthrough"}}"#, isKeyed: true,
            201,
            identity
        ) { _ = try await $0.createIdentity(handle: "a", displayName: "n", description: "d", tlsMode: .passthrough) },
        row("GET /api/v1/identities?limit=200", "", 200, "[\(identity)]") {
            let got = try await $0.identities().map(\.id)
            #expect(got == ["i1"])
        },
        row("GET /api/v1/identities/my-agent", "", 200, identity) { _ = try await $0.identity(handle: "my-agent") },
        row("GET /api/v1/identities/%2E%2E%2Fapps", "", 200, identity) { _ = try await $0.identity(handle: "../apps") },
        row("PATCH /api/v1/identities/a", #"{"agent_handle":"b"}"#, 200, identity) {
            _ = try await $0.updateIdentity(handle: "a", IdentityChange(agentHandle: "b"))
        },
        row("PATCH /api/v1/identities/a", #"{"description":null,"display_name":"n"}"#, 200, identity) {
            _ = try await $0.updateIdentity(handle: "a", IdentityChange(displayName: .set("n"), description: .clear))
        },
        row("DELETE /api/v1/identities/a", "", 204, "") { try await $0.deleteIdentity(handle: "a") },
        row(
            "POST /api/v1/identities/a/signing-key", "{}", isKeyed: true, 201,
            #"{"signing_key":"whsec_1","created_at":"2026-04-21T12:30:00Z"}"#
        ) {
            let got = try await $0.rotateSigningKey(ofIdentity: "a").signingKey
            #expect(got == "whsec_1")
        },
        row("GET /api/v1/identities/a/signing-key", "", 200, #"{"configured":false,"created_at":null}"#) {
            let got = try await $0.signingKeyStatus(ofIdentity: "a").configured
            #expect(got == false)
        },
    ]

    private static let key = """
        {"id": "k1", "organization_id": "org_1", "created_by": "k0", "creator_type": "human", "scoped_identity_id": "i1",
         "label": "ci", "description": null, "status": "paused", "last4": "abcd", "display_prefix": "ApiKey_wxyz",
         "last_used_at": null, "expires_at": null, "revoked_at": null, "created_at": "2026-04-21T12:30:00Z",
         "updated_at": "2026-04-21T12:30:00Z", "later": {}}
        """

    private static let keys = [
        row(
            "POST /api/v1/api-keys", #"{"label":"ci","scoped_identity_id":"i1"}"#, isKeyed: true, 201,
            #"{"api_key":"ApiKey_1","rotation_secret":"RotSecret_1","record":\#(key)}"#
        ) {
            let made = try await $0.createAPIKey(label: "ci", identityID: "i1")
            #expect(made.apiKey == "ApiKey_1" && made.rotationSecret == "RotSecret_1")
            #expect(made.record.scopedIdentityID == "i1")
            #expect(made.record.status == APIKeyRecord.Status(rawValue: "paused"), "a word that is not known is kept")
        },
        row(
            "POST /api/v1/api-keys",
            #"{"description":"d","expires_at":"2026-04-21T12:30:00Z","label":"ci","scoped_identity_id":"i1"}"#, isKeyed: true,
            201,
            #"{"api_key":"ApiKey_1","record":\#(key)}"#
        ) {
            let made = try await $0.createAPIKey(
                label: "ci", description: "d", identityID: "i1", expiresAt: Date(timeIntervalSince1970: 1_776_774_600))
            #expect(made.rotationSecret == nil)
        },
        row("GET /api/v1/api-keys?limit=200", "", 200, "[\(key)]") {
            let got = try await $0.apiKeys().map(\.label)
            #expect(got == ["ci"])
        },
        row("GET /api/v1/api-keys/k1", "", 200, key) {
            let got = try await $0.apiKey(id: "k1").last4
            #expect(got == "abcd")
        },
        row(
            "POST /api/v1/api-keys",
            #"{"allowed_ip_ranges":["192.0.2.0/24"],"label":"ci","scopes":["tunnel:my-agent:connect","tunnels:read"]}"#,
            isKeyed: true, 201,
            #"{"api_key":"ApiKey_1","rotation_secret":null,"record":{"id":"k1","label":"ci","status":"active","#
                + #""scopes":["later"],"allowed_ip_ranges":["192.0.2.0/24"],"replaced_by":"k2"}}"#
        ) {
            let made = try await $0.createAPIKey(
                label: "ci", identityID: nil, scopes: ["tunnel:my-agent:connect", "tunnels:read"],
                allowedIPRanges: ["192.0.2.0/24"])
            #expect(made.rotationSecret == nil && made.record.scopes == ["later"], "a scope that is not known is kept")
            #expect(made.record.allowedIPRanges == ["192.0.2.0/24"] && made.record.replacedBy == "k2")
        },
        row(
            "POST /api/v1/api-keys/k1/rotate", #"{"overlap_hours":24}"#, isKeyed: true, 201,
            #"{"api_key":"ApiKey_2","rotation_secret":"RotSecret_2","record":\#(key),"replaced_record":\#(key)}"#
        ) {
            let rotated = try await $0.rotateAPIKey(id: "k1", overlapHours: 24)
            #expect(rotated.apiKey == "ApiKey_2" && rotated.rotationSecret == "RotSecret_2")
            #expect(rotated.replacedRecord.label == "ci")
        },
        row("DELETE /api/v1/api-keys/k1", "", 204, "") { try await $0.revokeAPIKey(id: "k1") },
        row(
            "GET /api/v1/whoami", "", 200,
            #"{"auth_type":"api_key","auth_subtype":"api_key.admin_scoped","key_id":"k1","created_at":1776774600.25}"#
        ) {
            let caller = try await $0.caller()
            #expect(caller.authSubtype == .adminKey && caller.createdAt == 1_776_774_600.25 && caller.keyID == "k1")
        },
        row(
            "POST /api/v1/agents/self/rotate-key", #"{"rotationSecret":"RotSecret_1"}"#, isKeyed: true, 200,
            #"{"message":"m","apiKey":"ApiKey_2","rotationSecret":"RotSecret_2","agentId":"i1","agentName":"my-agent"}"#
        ) {
            let rotated = try await $0.rotateOwnAPIKey(rotationSecret: "RotSecret_1")
            #expect(rotated.apiKey == "ApiKey_2" && rotated.rotationSecret == "RotSecret_2" && rotated.agentName == "my-agent")
        },
        row(
            "POST /api/v1/agents/self/rotate-key", #"{"rotationSecret":"RotSecret_1"}"#, isKeyed: true, 200,
            #"{"apiKey":"ApiKey_2","rotationSecret":"RotSecret_2"}"#
        ) { _ = try await $0.rotateOwnAPIKey(rotationSecret: "RotSecret_1", idempotencyKey: "key-1") },
    ]

    private static let app = """
        {"client_id": "app_1", "organization_id": "org_1", "name": "ci", "scopes": ["tunnels:read", "later:scope"],
         "secret_last4": "beef", "created_by": "k1", "created_at": "2026-04-21T12:30:00Z",
         "updated_at": "2026-04-21T12:30:00Z", "secret_rotated_at": null, "last_used_at": null}
        """
    static let createdApp = String(app.dropLast()) + #", "client_secret": "00ff"}"#

    private static let apps = [
        row("POST /api/v1/apps", #"{"name":"ci","scopes":["tunnels:read","audit:read"]}"#, isKeyed: true, 201, createdApp) {
            let made = try await $0.createApp(named: "ci", scopes: [.tunnelsRead, .auditRead])
            #expect(made.clientSecret == "00ff" && made.app.clientID == "app_1")
            #expect(made.app.scopes == [.tunnelsRead, AppRecord.Scope(rawValue: "later:scope")])
        },
        row("GET /api/v1/apps?limit=200", "", 200, #"{"apps":[\#(app)]}"#) {
            let got = try await $0.apps().map(\.name)
            #expect(got == ["ci"])
        },
        row("GET /api/v1/apps/app_1", "", 200, app) {
            let got = try await $0.app(clientID: "app_1").secretLast4
            #expect(got == "beef")
        },
        row("DELETE /api/v1/apps/app_1", "", 204, "") { try await $0.deleteApp(clientID: "app_1") },
        row("POST /api/v1/apps/app_1/rotate-client-secret", "", isKeyed: true, 200, #"{"clientSecret":"ff00"}"#) {
            let got = try await $0.rotateClientSecret(ofApp: "app_1")
            #expect(got == "ff00")
        },
    ]

    private static let line = """
        {"id": "e1", "sequence": 12, "occurred_at": "2026-04-21T12:30:00.5Z", "action": "secret.rotate",
         "actor": {"type": "api_key", "id": "k1", "label": "ci"}, "resource": {"type": "tunnel", "id": "t1"},
         "ip": "192.0.2.1", "request_id": "r1", "outcome": "success", "details": {"n": [1, null]}, "previous_hash": "00",
         "hash": "ff"}
        """

    private static let records = [
        row("GET /api/v1/audit-events?limit=200", "", 200, #"{"audit_events":[\#(line)]}"#) {
            let lines = try await $0.auditEvents().collect()
            #expect(lines.map(\.sequence) == [12] && lines[0].actor.label == "ci" && lines[0].resource.type == "tunnel")
            #expect(lines[0].details == .object(["n": .array([.integer(1), .null])]))
        },
        row(
            "GET /api/v1/audit-events?actor=k1&action=secret%2Erotate&resource=t1&since=2026-04-21T12%3A30%3A00Z"
                + "&until=2026-04-21T12%3A30%3A00%2E5Z&limit=7", "", 200, #"{"audit_events":[]}"#
        ) {
            let since = Date(timeIntervalSince1970: 1_776_774_600)
            let filter = AuditFilter(
                actor: "k1", action: "secret.rotate", resource: "t1", since: since, until: since.addingTimeInterval(0.5))
            let got = try await $0.auditEvents(matching: filter, pageSize: 7).collect()
            #expect(got.isEmpty)
        },
    ]

    private static let subscription = """
        {"id": "w1", "organization_id": "org_1", "url": "https://hooks.example/",
         "event_types": ["tunnel.created", "later.type"], "status": "active",
         "created_at": "2026-04-21T12:30:00Z", "updated_at": "2026-04-21T12:30:00Z"}
        """
    private static let delivery = """
        {"id": "d1", "subscription_id": "w1", "webhook_id": "e1", "event_type": "tunnel.created", "status": "later_status",
         "attempt_count": 2, "next_attempt_at": "2026-04-21T12:30:00Z", "last_attempt_at": null, "last_status": null,
         "last_error": "refused", "last_milliseconds": 3, "replay_of": null, "created_at": "2026-04-21T12:30:00Z",
         "ended_at": null}
        """

    private static let webhooks = [
        row(
            "POST /api/v1/webhooks/subscriptions",
            #"{"agent_identity_id":"i1","event_types":["tunnel.created"],"url":"https://hooks.example/"}"#, isKeyed: true, 201,
            String(subscription.dropLast()) + #", "secret": "whsec_1"}"#
        ) {
            let made = try await $0.createWebhookSubscription(
                url: "https://hooks.example/", eventTypes: [EventType(rawValue: "tunnel.created")], identityID: "i1")
            #expect(made.secret == "whsec_1" && made.subscription.id == "w1" && made.signingKey == nil)
            #expect(made.subscription.eventTypes.map(\.rawValue) == ["tunnel.created", "later.type"])
        },
        row("GET /api/v1/webhooks/subscriptions?limit=200", "", 200, #"{"subscriptions":[\#(subscription)]}"#) {
            let got = try await $0.webhookSubscriptions().map(\.id)
            #expect(got == ["w1"])
        },
        row("GET /api/v1/webhooks/subscriptions/w1", "", 200, subscription) { _ = try await $0.webhookSubscription(id: "w1") },
        row("DELETE /api/v1/webhooks/subscriptions/w1", "", 204, "") { try await $0.deleteWebhookSubscription(id: "w1") },
        row("POST /api/v1/webhooks/subscriptions/w1/rotate-secret", "", isKeyed: true, 200, #"{"secret":"whsec_2"}"#) {
            let got = try await $0.rotateWebhookSecret(subscriptionID: "w1")
            #expect(got == "whsec_2")
        },
        row(
            "PATCH /api/v1/webhooks/subscriptions/w1", #"{"description":null,"event_types":["key.*"]}"#, 200, subscription
        ) {
            let change = WebhookChange(eventTypes: [EventType(rawValue: "key.*")], description: .clear)
            _ = try await $0.updateWebhookSubscription(id: "w1", change)
        },
        row("GET /api/v1/webhooks/subscriptions/w1/deliveries?limit=200", "", 200, #"{"deliveries":[\#(delivery)]}"#) {
            let deliveries = try await $0.webhookDeliveries(subscriptionID: "w1").collect()
            #expect(deliveries.map(\.lastError) == ["refused"])
            #expect(deliveries[0].status == WebhookDelivery.Status(rawValue: "later_status"))
        },
        row("GET /api/v1/webhooks/deliveries/d1", "", 200, delivery) {
            let got = try await $0.webhookDelivery(id: "d1")
            #expect(got.attemptCount == 2 && got.nextAttemptAt != nil)
        },
        row("POST /api/v1/webhooks/deliveries/d1/replay", "", isKeyed: true, 202, delivery) {
            let got = try await $0.replayWebhookDelivery(id: "d1").webhookID
            #expect(got == "e1")
        },
    ]
}
