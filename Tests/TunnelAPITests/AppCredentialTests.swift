import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// HTTP Basic with an app's id and secret (RFC 7617).
struct AppCredentialTests {
    private static let tunnels = "/api/v1/tunnels"

    @Test func `an app does what its scopes say and is on record with it`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let reader = try await harness.createApp(scopes: [.readTunnels]).credential
        let app = try await harness.createApp(scopes: [.writeTunnels])
        let writer = app.credential

        #expect(try await harness.send("GET", Self.tunnels, as: reader).status == 200)
        #expect(try await harness.send("GET", Self.tunnels, as: writer).status == 403)
        #expect(try await harness.send("PATCH", "\(Self.tunnels)/\(id)", #"{"description":"x"}"#, as: reader).status == 403)
        #expect(try await harness.send("PATCH", "\(Self.tunnels)/\(id)", #"{"description":"x"}"#, as: writer).status == 200)
        #expect(try await harness.send("POST", "\(Self.tunnels)/\(id)/rotate-secret", as: writer).status == 403)
        let entry = try #require(harness.store.contents.audit.last?.entry)
        #expect(entry.action == .tunnelUpdate)
        #expect(entry.actor == AuditActor(kind: .app, id: app.id, label: "test app"))
        #expect(entry.ip == "192.0.2.7")
    }

    @Test(arguments: Scope.allCases)
    func `no scope lets an app near apps, keys or deletion for good`(scope: Scope) async throws {
        let harness = try await APIHarness()
        let app = try await harness.createApp(scopes: [scope])
        let tunnel = try await harness.createTunnel("my-agent").id
        for (method, path) in [
            ("GET", "/api/v1/apps"), ("GET", "/api/v1/apps/\(app.id)"), ("DELETE", "/api/v1/apps/\(app.id)"),
            ("POST", "/api/v1/apps/\(app.id)/rotate-client-secret"),
            ("POST", "/connect/v1/apps/\(app.id)/rotate-client-secret"), ("DELETE", "\(Self.tunnels)/\(tunnel)/force"),
        ] {
            #expect(try await harness.send(method, path, as: app.credential).status == 403, "\(method) \(path)")
        }
    }

    @Test func `an app sees its own organization alone`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let foreign = try await harness.createApp(scopes: Set(Scope.allCases), as: .key(harness.foreign.apiKey))
        #expect(try await harness.send("GET", "\(Self.tunnels)/\(id)", as: foreign.credential).status == 404)
        let app = try await harness.createApp(scopes: [])
        for (method, path) in [("GET", ""), ("DELETE", ""), ("POST", "/rotate-client-secret")] {
            let theirs = try await harness.send(
                method, "/api/v1/apps/\(app.id)\(path)", as: .key(harness.foreign.apiKey))
            let none = try await harness.send(
                method, "/api/v1/apps/app_00000000000000000000000000000000\(path)", as: .key(harness.foreign.apiKey))
            let noID = try await harness.send(method, "/api/v1/apps/x\(path)", as: .key(harness.foreign.apiKey))
            #expect(theirs.status == 404)
            #expect(theirs.text == none.text && theirs.text == noID.text)
        }
        #expect(try await harness.send("GET", Self.tunnels, as: app.credential).status == 403)
    }

    /// Credentials that must be refused exactly like none.
    typealias Attempt = @Sendable (APIHarness, TestApp) -> [(String, String)]

    static let refused: [(String, Attempt)] = [
        ("a wrong secret", { _, app in [basic(app.id, String(app.secret.reversed()))] }),
        ("a short secret", { _, app in [basic(app.id, String(app.secret.dropLast()))] }),
        ("an empty secret", { _, app in [basic(app.id, "")] }),
        ("another app's id", { _, app in [basic("app_00000000000000000000000000000000", app.secret)] }),
        ("an id that is none", { _, app in [basic("x", app.secret)] }),
        ("an id in capitals", { _, app in [basic(app.id.uppercased(), app.secret)] }),
        ("an API key as secret", { harness, app in [basic(app.id, harness.home.apiKey)] }),
        ("an API key as name", { harness, _ in [basic(harness.home.apiKey, "")] }),
        ("no base64", { _, app in [("authorization", "Basic \(app.id):\(app.secret)")] }),
        ("no colon", { _, app in [("authorization", "Basic " + Base64.encode(Array(app.secret.utf8)))] }),
        ("nothing", { _, _ in [("authorization", "Basic ")] }),
        ("a Bearer of it", { _, app in [("authorization", "Bearer " + Base64.encode(Array("\(app.id):\(app.secret)".utf8)))] }),
        ("an API key besides", { harness, app in [basic(app.id, app.secret), ("x-api-key", harness.home.apiKey)] }),
        (
            "a broken one besides an API key",
            { harness, _ in [("authorization", "Basic x"), ("x-api-key", harness.home.apiKey)] }
        ),
        ("two of them", { _, app in [basic(app.id, app.secret), basic(app.id, "other")] }),
    ]

    private static func basic(_ id: String, _ secret: String) -> (String, String) {
        ("authorization", "Basic " + Base64.encode(Array("\(id):\(secret)".utf8)))
    }

    @Test(arguments: refused.indices)
    func `what does not count is 401 like nothing at all`(index: Int) async throws {
        let harness = try await APIHarness()
        let app = try await harness.createApp(scopes: Set(Scope.allCases))
        let (what, fields) = Self.refused[index]
        let reply = try await harness.send("GET", Self.tunnels, as: Credential.none, fields: fields(harness, app))
        let bare = try await harness.send("GET", Self.tunnels, as: Credential.none)
        #expect(reply.status == 401, "\(what)")
        #expect(reply.text == bare.text && reply.fields.lines == bare.fields.lines, "\(what)")
        #expect(harness.store.contents.apps.values.first?.lastUsedAt == nil)
    }

    @Test(arguments: ["Basic", "basic", "BASIC ", "bAsIc  "])
    func `the scheme is written as one likes, and the same credential may come twice`(scheme: String) async throws {
        let harness = try await APIHarness()
        let app = try await harness.createApp(scopes: [.readTunnels])
        let token = Base64.encode(Array("\(app.id):\(app.secret)".utf8))
        let field = ("authorization", "\(scheme) \(token)")
        #expect(try await harness.send("GET", Self.tunnels, as: Credential.none, fields: [field]).status == 200)
        #expect(try await harness.send("GET", Self.tunnels, as: Credential.none, fields: [field, field]).status == 200)
    }

    @Test func `a refusal names both ways in`() async throws {
        let reply = try await APIHarness().send("GET", Self.tunnels, as: Credential.none)
        let challenges = reply.fields.pairs.filter { $0.name == "www-authenticate" }.map(\.value)
        #expect(challenges == [#"Bearer realm="culvert""#, #"Basic realm="culvert", charset="UTF-8""#])
    }

    @Test func `the last use is written down at most once a minute`() async throws {
        let harness = try await APIHarness()
        let app = try await harness.createApp(scopes: [.readTunnels])
        func lastUse() -> Timestamp? { harness.store.contents.apps.values.first?.lastUsedAt }
        let start = harness.clock.now
        _ = try await harness.send("GET", Self.tunnels, as: app.credential)
        #expect(lastUse() == start)
        harness.clock.advance(by: .seconds(60) - .microseconds(1))
        _ = try await harness.send("GET", Self.tunnels, as: app.credential)
        #expect(lastUse() == start)
        harness.clock.advance(by: .microseconds(1))
        _ = try await harness.send("GET", Self.tunnels, as: app.credential)
        #expect(lastUse() == start + .seconds(60))
        harness.clock.setWall(to: start)
        _ = try await harness.send("GET", Self.tunnels, as: app.credential)
        #expect(lastUse() == start, "a clock that was set back does not stop the record")
        harness.store.fail(writes: .full)
        harness.clock.advance(by: .hours(1))
        #expect(try await harness.send("GET", Self.tunnels, as: app.credential).status == 200)
    }

    @Test func `an answer that was kept for one caller is not shown to a lesser one`() async throws {
        let harness = try await APIHarness()
        let own = try harness.arrangeIdentityTunnel("own-agent")
        let writer = try await harness.createApp(scopes: [.writeTunnels])
        let key = [("idempotency-key", "k")]
        let body = #"{"tunnel_name":"my-agent"}"#
        let first = try await harness.send("POST", Self.tunnels, body, fields: key)
        #expect(first.status == 201)
        let replayed = try await harness.send("POST", Self.tunnels, body, as: writer.credential, fields: key)
        #expect(replayed.status == 422)
        let id = try #require(first.json["tunnel"]?["id"]?.stringValue)
        let rotated = [("idempotency-key", "r")]
        #expect(try await harness.send("POST", "\(Self.tunnels)/\(id)/rotate-secret", fields: rotated).status == 200)
        let byAgent = try await harness.send(
            "POST", "\(Self.tunnels)/\(id)/rotate-secret", as: .key(own.key), fields: rotated)
        #expect(byAgent.status == 422)
        #expect(!byAgent.text.contains("tnl_"))
    }
}

extension HTTPFields {
    fileprivate var lines: [String] { pairs.map { "\($0.name): \($0.value)" } }
}
