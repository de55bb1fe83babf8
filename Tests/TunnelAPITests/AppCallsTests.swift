import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// Apps and their secrets (control plane, section 6; seed 004).
struct AppCallsTests {
    private static let base = "/api/v1/apps"
    private static let rotations = ["/connect/v1/apps/ID/rotate-client-secret", "/api/v1/apps/ID/rotate-client-secret"]

    @Test func `an app is made with a secret that is shown once`() async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send(
            "POST", Self.base, #"{"name":"billing","scopes":["tunnels:write","tunnels:read","tunnels:read"],"more":1}"#)
        #expect(reply.status == 201)
        let id = try #require(reply.json["client_id"]?.stringValue)
        let secret = try #require(reply.json["client_secret"]?.stringValue)
        #expect(AppID(id) != nil)
        #expect(secret.utf8.count == 64 && secret.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) })
        #expect(reply.json["secret_last4"]?.stringValue == String(secret.suffix(4)))
        #expect(reply.json["scopes"] == .array([.string("tunnels:read"), .string("tunnels:write")]))
        #expect(reply.json["organization_id"]?.stringValue == harness.home.organization.id.text)

        let got = try await harness.send("GET", "\(Self.base)/\(id)")
        #expect(got.status == 200)
        #expect(!got.text.contains(secret))
        #expect(got.json["name"] == .string("billing"))
        #expect(got.json["last_used_at"] == .null && got.json["secret_rotated_at"] == .null)
        let list = try await harness.send("GET", Self.base)
        #expect(list.json["apps"] == .array([got.json]))
        #expect(harness.store.contents.apps.values.first?.secretHash == harness.ports.hasher.hash(ofSecret: secret))
    }

    @Test(arguments: [
        (#"{}"#, ["/name", "/scopes"]), (#"{"name":"","scopes":[]}"#, ["/name"]), (#"{"name":7,"scopes":[]}"#, ["/name"]),
        (#"{"name":"a\nb","scopes":[]}"#, ["/name"]), (#"{"name":"a","scopes":"tunnels:read"}"#, ["/scopes"]),
        (#"{"name":"a","scopes":["tunnels:read","admin",7]}"#, ["/scopes/1", "/scopes/2"]),
        (#"{"name":"a","scopes":null}"#, ["/scopes"]), ("[]", [""]), ("", [""]),
    ])
    func `a bad app is 422 and says where`(body: String, pointers: [String]) async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send("POST", Self.base, body)
        #expect(reply.status == 422)
        #expect(reply.pointers == pointers)
        #expect(harness.store.contents.apps.isEmpty)
    }

    @Test func `an organization has no more apps than it may`() async throws {
        var rules = try ServiceRules(zone: Zone(validating: "localhost"))
        rules.appsMax = 2
        let harness = try await APIHarness(rules: rules)
        let first = try await harness.createApp(scopes: [])
        _ = try await harness.createApp(scopes: [])
        let third = try await harness.send("POST", Self.base, #"{"name":"c","scopes":[]}"#)
        #expect(third.status == 409)
        #expect(third.detail.contains("which is 2;"))
        let foreign = try await harness.send(
            "POST", Self.base, #"{"name":"c","scopes":[]}"#, as: .key(harness.foreign.apiKey))
        #expect(foreign.status == 201)
        #expect(try await harness.send("DELETE", "\(Self.base)/\(first.id)").status == 204)
        #expect(try await harness.send("POST", Self.base, #"{"name":"c","scopes":[]}"#).status == 201)
    }

    @Test func `a deleted app is gone and gets in no more`() async throws {
        let harness = try await APIHarness()
        let app = try await harness.createApp(scopes: [.readTunnels])
        #expect(try await harness.send("GET", "/api/v1/tunnels", as: app.credential).status == 200)
        let reply = try await harness.send("DELETE", "\(Self.base)/\(app.id)/")
        #expect((reply.status, reply.body) == (204, []))
        #expect(reply["content-type"] == nil)
        #expect(try await harness.send("GET", "/api/v1/tunnels", as: app.credential).status == 401)
        for method in ["GET", "DELETE"] { #expect(try await harness.send(method, "\(Self.base)/\(app.id)").status == 404) }
        #expect(try await harness.send("GET", Self.base).json["apps"] == .array([]))
    }

    @Test(arguments: rotations)
    func `a rotated secret counts at once and the old one no more`(path: String) async throws {
        let harness = try await APIHarness()
        let app = try await harness.createApp(scopes: [.readTunnels])
        harness.clock.advance(by: .seconds(5))
        let reply = try await harness.send(
            "POST", path.replacing("ID", with: app.id), as: .bearer(harness.home.apiKey))
        #expect(reply.status == 200)
        guard case .object(let members) = reply.json else { return #expect(Bool(false), "\(reply.text)") }
        #expect(members.map(\.name) == ["clientSecret"])
        let secret = try #require(reply.json["clientSecret"]?.stringValue)
        #expect(secret.utf8.count == 64 && secret != app.secret)
        #expect(try await harness.send("GET", "/api/v1/tunnels", as: app.credential).status == 401)
        #expect(try await harness.send("GET", "/api/v1/tunnels", as: .basic(app.id, secret)).status == 200)
        let shown = try await harness.send("GET", "\(Self.base)/\(app.id)")
        #expect(shown.json["secret_rotated_at"] == .string(harness.clock.now.iso8601))
        #expect(shown.json["updated_at"] == .string(harness.clock.now.iso8601))
        #expect(shown.json["secret_last4"]?.stringValue == String(secret.suffix(4)))
    }

    @Test(arguments: rotations)
    func `a repeated rotation gives the same secret and rotates once`(path: String) async throws {
        let harness = try await APIHarness()
        let app = try await harness.createApp(scopes: [])
        let key = [("idempotency-key", "k")]
        let path = path.replacing("ID", with: app.id)
        let first = try await harness.send("POST", path, fields: key)
        let again = try await harness.send("POST", path, fields: key)
        #expect((first.status, first["idempotency-replayed"]) == (200, nil))
        #expect((again.status, again["idempotency-replayed"]) == (200, "true"))
        #expect(again.body == first.body)
        #expect(harness.store.contents.audit.count { $0.entry.action == .appRotateSecret } == 1)
        let other = try await harness.send("POST", path, fields: [("idempotency-key", "other")])
        #expect(other.body != first.body)
    }

    @Test func `apps are listed newest first and in pages`() async throws {
        let harness = try await APIHarness()
        var ids: [String] = []
        for number in 0..<5 {
            ids.append(try await harness.createApp(scopes: []).id)
            if number.isMultiple(of: 2) { harness.clock.advance(by: .seconds(1)) }
        }
        let all = try await harness.send("GET", Self.base).appIDs
        #expect(Set(all) == Set(ids))
        var paged: [String] = []
        var cursor: String? = ""
        while let place = cursor {
            let reply = try await harness.send("GET", "\(Self.base)?limit=2" + (place.isEmpty ? "" : "&cursor=\(place)"))
            paged += reply.appIDs
            cursor = reply.json["next_cursor"]?.stringValue
        }
        #expect(paged == all)
    }

    @Test func `who did what to which app is on record`() async throws {
        let harness = try await APIHarness()
        let app = try await harness.createApp(scopes: [.readAudit])
        _ = try await harness.send("POST", "\(Self.base)/\(app.id)/rotate-client-secret")
        _ = try await harness.send("DELETE", "\(Self.base)/\(app.id)")
        let entries = harness.store.contents.audit.map(\.entry).suffix(3)
        #expect(entries.map(\.action) == [.appCreate, .appRotateSecret, .appDelete])
        for entry in entries {
            #expect(entry.resourceType == .app && entry.resourceID == app.id)
            #expect(entry.actor == harness.home.keyRecord.actor)
            #expect(!entry.detailsJSON.contains(app.secret))
        }
        #expect(entries.first?.detailsJSON == #"{"name":"test app","scopes":"audit:read"}"#)
    }
}

extension Reply {
    fileprivate var appIDs: [String] {
        guard case .array(let apps) = json["apps"] else { return [] }
        return apps.compactMap { $0["client_id"]?.stringValue }
    }
}
