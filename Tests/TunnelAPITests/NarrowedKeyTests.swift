import TestSupport
import Testing
import TunnelDomain
import TunnelService
import TunnelWire

@testable import TunnelAPI

/// Keys that are narrowed to scopes and to ranges of addresses.
struct NarrowedKeyTests {
    static let base = "/api/v1/api-keys"

    @Test func `a key tells what it is narrowed to, and one that is not tells null`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let reply = try await harness.mint(
            agent.id, scopes: ["tunnels:read", "tunnel:abc:connect", "tunnels:read"],
            ranges: ["::ffff:192.0.2.0/120", "2001:DB8::1"])
        let record = try #require(reply.json["record"])
        #expect(record["scopes"] == .array([.string("tunnels:read"), .string("tunnel:abc:connect")]))
        #expect(record["allowed_ip_ranges"] == .array([.string("192.0.2.0/24"), .string("2001:db8::1/128")]))
        let key = try #require(reply.json["api_key"]?.stringValue)
        let who = try await harness.send("GET", "/api/whoami", as: .key(key)).json
        #expect(who["scopes"] == record["scopes"] && who["allowed_ip_ranges"] == record["allowed_ip_ranges"])
        #expect(who["scope"] == .null)
        guard case .array(let tunnels) = who["connectable_tunnels"], let tunnel = tunnels.first else {
            Issue.record("whoami names no tunnel")
            return
        }
        #expect(tunnel["id"] == .string(agent.tunnelID) && tunnel["public_host"] == .string("abc.localhost"))
        let whole = try await harness.send("GET", "\(Self.base)/\(agent.keyID)").json
        for name in ["scopes", "allowed_ip_ranges", "replaced_by"] { #expect(whole[name] == .null, "\(name)") }
        let audit = try #require(harness.store.contents.audit.last?.entry)
        #expect(audit.detailsJSON.contains("tunnels:read") && audit.detailsJSON.contains("192.0.2.0"))
    }

    @Test func `a refusal names the scope that is missing`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let key = try await harness.key(agent.id, scopes: ["tunnels:read"])
        #expect(try await harness.send("GET", "/api/v1/tunnels/\(agent.tunnelID)", as: key).status == 200)
        let reply = try await harness.send("PATCH", "/api/v1/tunnels/\(agent.tunnelID)", #"{"description":"x"}"#, as: key)
        #expect(reply.status == 403)
        #expect(reply["content-type"] == "application/problem+json")
        #expect(reply.json["type"] == .string("urn:culvert:problem:insufficient-scope"))
        #expect(reply.detail.contains("tunnels:write"))
        #expect(reply.json["missing_scopes"] == .array([.string("tunnels:write")]))
        // What no identity may is refused as before: no scope would help.
        let hopeless = try await harness.send("GET", "/api/v1/apps", as: key)
        #expect(hopeless.status == 403 && hopeless.json["missing_scopes"] == nil)
        let app = try await harness.createApp(scopes: [.readTunnels])
        let byApp = try await harness.send("POST", "/api/v1/tunnels", #"{"tunnel_name":"xyz"}"#, as: app.credential)
        #expect(byApp.status == 403 && byApp.json["missing_scopes"] == .array([.string("tunnels:write")]))
    }

    @Test func `every route needs the scope of its act and no other`() async throws {
        let harness = try await APIHarness()
        let id = "00000000-0000-4000-8000-000000000000"
        var keys: [KeyScope: Credential] = [:]
        for scope in KeyScope.allCases {
            let minted = try #require(
                try await MintAdminKey(ports: harness.ports)(for: harness.home.organization.id, scopes: [.word(scope)]))
            keys[scope] = .key(minted.apiKey)
        }
        for route in harness.api.table.routes {
            guard case .permitted(let action) = route.access, action != .rotateOwnKey, action != .readEvents else { continue }
            let path = route.pattern.text.replacing(/\{\w+\}/, with: id)
            for (scope, key) in keys {
                let reply = try await harness.send(route.method, path, "", as: key)
                let needed = Permission.keyScope(of: action)
                let line = "\(route.method) \(path) with \(scope.rawValue): \(reply.text)"
                if needed == nil || needed == scope {
                    #expect(reply.json["type"] != .string("urn:culvert:problem:insufficient-scope"), "\(line)")
                } else {
                    #expect(reply.status == 403, "\(line)")
                    #expect(reply.json["missing_scopes"] == .strings([needed?.rawValue ?? ""]), "\(line)")
                }
            }
        }
    }

    @Test(
        arguments: [
            (#""scopes":[]"#, "/scopes", "at least one"), (#""scopes":"tunnels:read""#, "/scopes", "an array"),
            (#""scopes":[7]"#, "/scopes/0", "a number"),
            (#""scopes":["tunnels:read","tunnels:reed"]"#, "/scopes/1", "tunnels:read"),
            (#""scopes":["tunnel:A:connect"]"#, "/scopes/0", "name of a tunnel"),
            (#""scopes":["tunnel:nobody:connect"]"#, "/scopes", "no tunnel nobody"),
            (#""scopes":["tunnel:foreign:connect"]"#, "/scopes", "no tunnel foreign"),
            (#""scopes":["tunnel:other:connect"]"#, "/scopes", "not the identity's"),
            (#""scopes":["audit:read"]"#, "/scopes", "audit:read"), (#""scopes":["keys:write"]"#, "/scopes", "keys:write"),
            (#""allowed_ip_ranges":[]"#, "/allowed_ip_ranges", "at least one"),
            (#""allowed_ip_ranges":["192.0.2.7/24"]"#, "/allowed_ip_ranges/0", "192.0.2.0/24"),
            (#""allowed_ip_ranges":["192.0.2.0/24","office"]"#, "/allowed_ip_ranges/1", "192.0.2.0/24"),
            (#""allowed_ip_ranges":["192.0.2.0/33"]"#, "/allowed_ip_ranges/0", "0 to 32"),
        ])
    func `a mistake is told with its place`(member: String, pointer: String, said: String) async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        _ = try await harness.createIdentity("other")
        let foreign = Credential.key(harness.foreign.apiKey)
        _ = try await harness.send("POST", "/api/v1/identities", #"{"agent_handle":"foreign"}"#, as: foreign)
        let reply = try await harness.send(
            "POST", Self.base, #"{"label":"x","scoped_identity_id":"\#(agent.id)",\#(member)}"#)
        #expect((reply.status, reply.pointers) == (422, [pointer]))
        #expect(reply.detail.contains(said), "\(reply.detail)")
    }

    @Test func `null narrows nothing`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let reply = try await harness.send(
            "POST", Self.base, #"{"label":"x","scoped_identity_id":"\#(agent.id)","scopes":null,"allowed_ip_ranges":null}"#)
        #expect(reply.status == 201 && reply.json["record"]?["scopes"] == .null)
        #expect(harness.store.contents.apiKeys.last?.bounds == KeyBounds.none)
    }

    @Test func `scopes and ranges are bounded, by what the operator says`() async throws {
        var rules = try ServiceRules(zone: Zone(validating: "localhost"))
        rules.keys = KeyLimits(scopesMax: 2, rangesMax: 2)
        let harness = try await APIHarness(rules: rules)
        let agent = try await harness.createIdentity("abc")
        let scopes = ["tunnels:read", "tunnels:write", "secrets:rotate"]
        let ranges = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        #expect(
            try await harness.mint(agent.id, scopes: Array(scopes.prefix(2)), ranges: Array(ranges.prefix(2))).status == 201)
        let many = try await harness.mint(agent.id, scopes: scopes)
        #expect((many.status, many.pointers) == (422, ["/scopes"]))
        let far = try await harness.mint(agent.id, ranges: ranges)
        #expect((far.status, far.pointers) == (422, ["/allowed_ip_ranges"]))
    }
}

// MARK: - Who may make what

extension NarrowedKeyTests {
    @Test func `a key of the whole organization is made over the API for some scopes, and never one that makes credentials`()
        async throws
    {
        let harness = try await APIHarness()
        let made = try await harness.mint(nil, scopes: ["tunnels:read", "audit:read"])
        #expect(made.status == 201 && made.json["rotation_secret"] == .null)
        let key = Credential.key(try #require(made.json["api_key"]?.stringValue))
        #expect(try await harness.send("GET", "/api/v1/audit-events", as: key).status == 200)
        #expect(try await harness.send("GET", "/api/v1/api-keys", as: key).status == 403)
        for scopes in [["keys:write"], ["tunnels:read", "apps:write"]] {
            let refused = try await harness.mint(nil, scopes: scopes)
            #expect(
                refused.status == 403 && refused.detail.contains(scopes.last ?? "") && refused.detail.contains("culvertd init"))
        }
        #expect(try await harness.mint(nil, ranges: ["192.0.2.0/24"]).status == 403, "ranges alone make an admin key")
    }

    @Test func `nobody makes a key that may do more than himself`() async throws {
        let harness = try await APIHarness()
        let (agent, other) = (try await harness.createIdentity("abc"), try await harness.createIdentity("other"))
        let maker = try await harness.adminKey(["keys:write", "tunnels:read", "tunnel:abc:connect"], ["192.0.2.0/24"])
        let near = ["192.0.2.7/32"]
        #expect(try await harness.mint(agent.id, scopes: ["tunnels:read"], ranges: near, as: maker).status == 201)
        #expect(try await harness.mint(agent.id, scopes: ["tunnel:abc:connect"], ranges: near, as: maker).status == 201)
        let more = try await harness.mint(agent.id, scopes: ["tunnels:read", "tunnels:write"], ranges: near, as: maker)
        #expect(more.status == 403 && more.json["missing_scopes"] == .strings(["tunnels:write"]))
        #expect(more.json["type"] == .string("urn:culvert:problem:exceeds-own-authority"))
        for (identity, scopes, ranges) in [
            (agent, nil, near), (other, ["tunnel:other:connect"], near), (agent, ["agents:connect"], near),
            (agent, ["tunnels:read"], nil), (agent, ["tunnels:read"], ["192.0.0.0/16"]),
            (agent, ["tunnels:read"], ["192.0.2.7", "2001:db8::/32"]),
        ] as [(NewAgent, [String]?, [String]?)] {
            let refused = try await harness.mint(identity.id, scopes: scopes, ranges: ranges, as: maker)
            #expect(refused.status == 403, "\(String(describing: scopes)) \(String(describing: ranges)): \(refused.text)")
        }
    }

    @Test func `a body with very many mistakes has a short answer`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let scopes = Array(repeating: "bad", count: 10_000)
        let refused = try await harness.mint(agent.id, scopes: scopes, ranges: nil)
        #expect(refused.status == 422)
        #expect(refused.pointers.count == MemberReader.errorCountMax)
    }

    @Test func `apps are credentials too`() async throws {
        let harness = try await APIHarness()
        let strong = try await harness.createApp(scopes: [.writeTunnels])
        let weak = try await harness.createApp(scopes: [.readTunnels])
        let maker = try await harness.adminKey(["apps:write", "tunnels:read"])
        func create(_ scopes: String, _ key: Credential) async throws -> Int {
            try await harness.send("POST", "/api/v1/apps", #"{"name":"x","scopes":[\#(scopes)]}"#, as: key).status
        }
        func rotate(_ app: TestApp, _ key: Credential) async throws -> Int {
            try await harness.send("POST", "/api/v1/apps/\(app.id)/rotate-client-secret", as: key).status
        }
        #expect(try await create(#""tunnels:read""#, maker) == 201)
        #expect(try await create(#""tunnels:write""#, maker) == 403)
        #expect(try await create(#""tunnels:read","audit:read""#, maker) == 403)
        #expect(try await rotate(weak, maker) == 200)
        // It would have a credential that lasts longer than its key.
        #expect(try await rotate(weak, harness.adminKey(["secrets:rotate", "tunnels:read"])) == 403)
        #expect(try await rotate(strong, maker) == 403)
        // An app may be used from everywhere, and this key may not.
        let bound = try await harness.adminKey(nil, ["192.0.2.0/24"])
        #expect(try await create("", bound) == 403)
        #expect(try await rotate(weak, bound) == 403)
    }

    @Test func `an answer that was kept for a stronger key is not given to a weaker one`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let fields = [("idempotency-key", "k")]
        let body = #"{"label":"x","scoped_identity_id":"\#(agent.id)"}"#
        let first = try await harness.send("POST", Self.base, body, fields: fields)
        let key = try #require(first.json["api_key"]?.stringValue)
        for scopes in [["keys:write"], nil] {
            let weaker = try await harness.adminKey(scopes, ["192.0.2.0/24"])
            let reply = try await harness.send("POST", Self.base, body, as: weaker, fields: fields)
            #expect(reply.status == 422 && !reply.text.contains(key))
        }
        #expect(try await harness.send("POST", Self.base, body, fields: fields).text == first.text)
    }
}

// MARK: - From where

extension NarrowedKeyTests {
    @Test func `a key is refused from elsewhere, with its reason, and it goes on record`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let key = try await harness.key(agent.id, ranges: ["192.0.2.0/24", "2001:db8::/32"])
        func status(_ address: String) async throws -> Int {
            try await harness.send("GET", "/api/v1/tunnels", as: key, from: address).status
        }
        for address in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::9"] {
            #expect(try await status(address) == 200, "\(address)")
        }
        for address in ["192.0.3.7", "::ffff:192.0.3.7", "2001:db9::9"] {
            #expect(try await status(address) == 403, "\(address)")
        }
        let reply = try await harness.send("GET", "/api/whoami", as: key, from: "203.0.113.9")
        #expect(reply.json["type"] == .string("urn:culvert:problem:address-not-allowed"))
        #expect(reply.detail.contains("203.0.113.9") && !reply.detail.contains("192.0.2.0"))
        let lastUse = harness.store.contents.apiKeys.last?.lastUsedAt
        harness.clock.advance(by: .seconds(120))
        _ = try await status("203.0.113.9")
        #expect(harness.store.contents.apiKeys.last?.lastUsedAt == lastUse, "a refusal is no use of the key")
    }

    @Test func `whoever tries a found key from elsewhere is slowed down like one who guesses`() async throws {
        var rules = try ServiceRules(zone: Zone(validating: "localhost"))
        rules.requests.authFailures = RateLimit(limit: 2, window: .seconds(60), name: "auth-failures")
        let harness = try await APIHarness(rules: rules)
        let agent = try await harness.createIdentity("abc")
        let key = try await harness.key(agent.id, ranges: ["192.0.2.0/24"])
        var statuses: [Int] = []
        for _ in 0..<3 { statuses.append(try await harness.send("GET", "/api/whoami", as: key, from: "203.0.113.9").status) }
        #expect(statuses == [403, 403, 429])
        #expect(try await harness.send("GET", "/api/whoami", as: key).status == 200)
    }

    @Test func `an agent rotates its own key only where it may be used, and the new one is narrowed as the old one was`()
        async throws
    {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let made = try await harness.mint(agent.id, scopes: ["tunnel:abc:connect"], ranges: ["192.0.2.0/24"])
        let key = try #require(made.json["api_key"]?.stringValue)
        let secret = try #require(made.json["rotation_secret"]?.stringValue)
        func rotate(from address: String) async throws -> Reply {
            try await harness.send(
                "POST", "/v1/agents/self/rotate-key", #"{"rotationSecret":"\#(secret)"}"#, as: .bearer(key),
                fields: [("idempotency-key", "k")], from: address)
        }
        #expect(try await rotate(from: "203.0.113.9").status == 403)
        let rotated = try await rotate(from: "192.0.2.7")
        #expect(rotated.status == 200)
        // The kept answer holds the new key, so it is not for elsewhere either.
        let stolen = try await rotate(from: "203.0.113.9")
        #expect(stolen.status == 401 && stolen.json["apiKey"] == nil)
        #expect(try await rotate(from: "192.0.2.8").text == rotated.text)
        let new = Credential.key(try #require(rotated.json["apiKey"]?.stringValue))
        let who = try await harness.send("GET", "/api/whoami", as: new).json
        #expect(who["scopes"] == .strings(["tunnel:abc:connect"]) && who["allowed_ip_ranges"] == .strings(["192.0.2.0/24"]))
        #expect(try await harness.send("GET", "/api/whoami", as: new, from: "203.0.113.9").status == 403)
    }
}

// MARK: - Names of tunnels

extension NarrowedKeyTests {
    @Test func `a scope follows its tunnel's name, and not the name to another tunnel`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let made = try await harness.mint(agent.id, scopes: ["tunnel:abc:connect"])
        let id = try #require(made.json["record"]?["id"]?.stringValue)
        _ = try await harness.send("PATCH", "/api/v1/identities/abc", #"{"agent_handle":"def"}"#)
        _ = try await harness.createTunnel("abc")
        let record = try await harness.send("GET", "\(Self.base)/\(id)").json
        #expect(record["scopes"] == .strings(["tunnel:def:connect"]))
        let list = try await harness.send("GET", Self.base)
        #expect(list.text.contains("tunnel:def:connect") && !list.text.contains("tunnel:abc:connect"))
    }
}

extension APIHarness {
    /// Asks for a key of an identity, or of the organization.
    func mint(
        _ identityID: String?, scopes: [String]? = nil, ranges: [String]? = nil, as credential: Credential? = nil
    ) async throws -> Reply {
        let body = JSONValue.members([
            "label": .string("narrow"), "scoped_identity_id": .optional(identityID), "scopes": .strings(scopes),
            "allowed_ip_ranges": .strings(ranges),
        ])
        return try await send("POST", NarrowedKeyTests.base, bytes: body.serialized, as: credential)
    }

    func key(_ identityID: String?, scopes: [String]? = nil, ranges: [String]? = nil) async throws -> Credential {
        let reply = try await mint(identityID, scopes: scopes, ranges: ranges)
        guard let key = reply.json["api_key"]?.stringValue else { throw UnexpectedReply(text: reply.text) }
        return .key(key)
    }

    /// A key of the whole organization as it is made on the service's own machine.
    func adminKey(_ scopes: [String]?, _ ranges: [String] = []) async throws -> Credential {
        let minted = try await MintAdminKey(ports: ports)(
            for: home.organization.id, scopes: scopes?.map { try KeyScopeName(validating: $0) },
            ranges: ranges.map { try AddressRange(validating: $0) })
        guard let minted else { throw UnexpectedReply(text: "there is no such organization") }
        return .key(minted.apiKey)
    }
}
