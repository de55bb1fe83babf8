import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// The rows of section 3's table.
struct TunnelCallsTests {
    private static let base = "/api/v1/tunnels"
    private static let members = [
        "id", "organization_id", "agent_identity_id", "tunnel_name", "description", "metadata", "tls_mode", "status",
        "public_host", "zone", "cert_pem", "cert_fingerprint_sha256", "cert_expires_at", "last_connected_at",
        "last_connected_ip_addr", "last_disconnected_at", "restore_deadline_at", "currently_connected", "connected_agents",
        "created_at", "updated_at",
    ]

    @Test func `a created tunnel comes with every member and its secret`() async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send("POST", Self.base, #"{"tunnel_name":"my-agent","description":"first"}"#)
        #expect(reply.status == 201)
        #expect(reply["content-type"] == "application/json")
        let tunnel = try #require(reply.json["tunnel"])
        guard case .object(let members) = tunnel else { return #expect(Bool(false), "no object") }
        #expect(members.map(\.name) == Self.members)
        #expect(tunnel["tunnel_name"] == .string("my-agent"))
        #expect(tunnel["description"] == .string("first"))
        #expect(tunnel["metadata"] == .object([]))
        #expect(tunnel["tls_mode"] == .string("edge"))
        #expect(tunnel["status"] == .string("active"))
        #expect(tunnel["public_host"] == .string("my-agent.localhost"))
        #expect(tunnel["zone"] == .string("localhost"))
        #expect(tunnel["organization_id"] == .string(harness.home.organization.id.text))
        #expect(tunnel["currently_connected"] == .bool(false))
        #expect(tunnel["connected_agents"] == .number("0"))
        #expect(tunnel["created_at"] == .string(harness.clock.now.iso8601))
        for name in ["agent_identity_id", "cert_pem", "last_connected_at", "restore_deadline_at", "last_disconnected_at"] {
            #expect(tunnel[name] == .null)
        }
        let secret = try #require(reply.json["connect_secret"]?.stringValue)
        #expect(try SecretFormat.kind(of: secret) == .connectSecret)
        #expect(harness.events.changes == [.created])
    }

    @Test func `a passthrough tunnel waits for its certificate`() async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send("POST", Self.base, #"{"tunnel_name":"my-agent","tls_mode":"passthrough"}"#)
        #expect(reply.json["tunnel"]?["status"] == .string("awaiting_cert"))
    }

    @Test(arguments: ["my-agent", "admin", "web-hook", "w-w-w"])
    func `a taken or reserved name is 409`(name: String) async throws {
        let harness = try await APIHarness()
        _ = try await harness.createTunnel("my-agent")
        for key in [harness.home.apiKey, harness.foreign.apiKey] {
            let reply = try await harness.send("POST", Self.base, #"{"tunnel_name":"\#(name)"}"#, as: .key(key))
            #expect(reply.status == 409)
            #expect(reply.detail.contains(name))
        }
        #expect(harness.store.contents.tunnels.count == 1)
    }

    @Test func `an operator's reserved names replace the standard ones`() async throws {
        var rules = ServiceRules(zone: try Zone(validating: "localhost"))
        rules.reservedNames = ReservedNames.standard.adding(["our-brand"]).removing(["admin"])
        let harness = try await APIHarness(rules: rules)
        #expect(try await harness.send("POST", Self.base, #"{"tunnel_name":"ourbrand"}"#).status == 409)
        #expect(try await harness.send("POST", Self.base, #"{"tunnel_name":"admin"}"#).status == 201)
    }

    @Test func `get shows the tunnel with its live flag and never the secret`() async throws {
        let harness = try await APIHarness()
        let (id, secret) = try await harness.createTunnel("my-agent")
        harness.presence.connect(try #require(TunnelID(id)))
        let reply = try await harness.send("GET", "\(Self.base)/\(id)")
        #expect(reply.status == 200)
        #expect(reply.json["currently_connected"] == .bool(true))
        #expect(reply.json["connected_agents"] == .number("1"))
        #expect(!reply.text.contains(secret))
        #expect(try await harness.send("GET", "\(Self.base)/\(id.uppercased())").text == reply.text)
    }

    @Test func `an update keeps what is absent and clears what is null`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let path = "\(Self.base)/\(id)"
        _ = try await harness.send("PATCH", path, #"{"description":"old","metadata":{"a":1}}"#)
        harness.clock.advance(by: .seconds(1))

        let kept = try await harness.send("PATCH", path, #"{"description":"new","unknown":true}"#)
        #expect(kept.json["description"] == .string("new"))
        #expect(kept.json["metadata"] == .members(["a": .number("1")]))
        #expect(kept.json["updated_at"] == .string(harness.clock.now.iso8601))

        let cleared = try await harness.send("PATCH", path, #"{"description":null,"metadata":null}"#)
        #expect(cleared.json["description"] == .null)
        #expect(cleared.json["metadata"] == .object([]))
        #expect(harness.events.changes == [.created, .updated, .updated, .updated])

        harness.clock.advance(by: .seconds(1))
        let same = try await harness.send("PATCH", path, #"{"metadata":{}}"#)
        #expect(same.text == cleared.text, "an update that changes nothing is no change")
        #expect(harness.events.changes.count == 4)
    }

    @Test func `deleting starts the grace window once, and restoring ends it`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let path = "\(Self.base)/\(id)"
        let deadline = harness.clock.now + .hours(24)

        let deleted = try await harness.send("DELETE", path)
        #expect(deleted.status == 200)
        #expect(deleted.json["status"] == .string("delete_pending"))
        #expect(deleted.json["restore_deadline_at"] == .string(deadline.iso8601))
        harness.clock.advance(by: .seconds(10))
        #expect(try await harness.send("DELETE", path).text == deleted.text)
        #expect(harness.events.changes == [.created, .deletePending])
        #expect(try await harness.send("POST", Self.base, #"{"tunnel_name":"my-agent"}"#).status == 409)

        let restored = try await harness.send("POST", path + "/restore")
        #expect(restored.status == 200)
        #expect(restored.json["status"] == .string("active"))
        #expect(restored.json["restore_deadline_at"] == .null)
        #expect(harness.events.changes == [.created, .deletePending, .restored])
    }

    @Test func `force-delete answers deleted and frees the name at once`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        _ = try await harness.send("DELETE", "\(Self.base)/\(id)")
        let reply = try await harness.send("DELETE", "\(Self.base)/\(id)/force")
        #expect(reply.status == 200)
        #expect(reply.json["status"] == .string("deleted"))
        #expect(try await harness.send("GET", "\(Self.base)/\(id)").status == 404)
        #expect(try await harness.send("DELETE", "\(Self.base)/\(id)").status == 404)
        #expect(try await harness.send("PATCH", "\(Self.base)/\(id)", #"{"description":null}"#).status == 404)
        #expect(try await harness.send("POST", "\(Self.base)/\(id)/restore").status == 409)
        #expect(try await harness.send("DELETE", "\(Self.base)/\(id)/force").status == 409)
        #expect(try await harness.createTunnel("my-agent").id != id)
    }

    @Test func `the grace window ends at its deadline to the microsecond, without any sweep`() async throws {
        let harness = try await APIHarness()
        let (early, late) = (try await harness.createTunnel("early").id, try await harness.createTunnel("late").id)
        for id in [early, late] { _ = try await harness.send("DELETE", "\(Self.base)/\(id)") }

        harness.clock.advance(by: .hours(24) - .microseconds(1))
        #expect(try await harness.send("GET", "\(Self.base)/\(late)").json["status"] == .string("delete_pending"))
        #expect(try await harness.send("POST", Self.base, #"{"tunnel_name":"late"}"#).status == 409)
        #expect(try await harness.send("POST", "\(Self.base)/\(early)/restore").status == 200)

        harness.clock.advance(by: .microseconds(1))
        #expect(try await harness.send("GET", "\(Self.base)/\(late)").status == 404)
        #expect(try await harness.send("POST", "\(Self.base)/\(late)/restore").status == 409)
        #expect(try await harness.send("DELETE", "\(Self.base)/\(late)/force").status == 409)
        #expect(try await harness.send("POST", "\(Self.base)/\(late)/rotate-secret").status == 404)
        #expect(!(try await harness.send("GET", Self.base).text.contains(late)))
        #expect(try await harness.createTunnel("late").id != late)
    }

    @Test func `only a pending tunnel is restored or forced`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        #expect(try await harness.send("POST", "\(Self.base)/\(id)/restore").status == 409)
        #expect(try await harness.send("DELETE", "\(Self.base)/\(id)/force").status == 409)
    }

    @Test func `a pending tunnel is neither changed nor rotated`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        _ = try await harness.send("DELETE", "\(Self.base)/\(id)")
        #expect(try await harness.send("PATCH", "\(Self.base)/\(id)", #"{"description":"x"}"#).status == 409)
        #expect(try await harness.send("POST", "\(Self.base)/\(id)/rotate-secret").status == 409)
    }

    @Test func `an identity's tunnel is deleted with it and has no secret to rotate`() async throws {
        let harness = try await APIHarness()
        let id = try harness.arrangeIdentityTunnel("my-agent").id
        let deleted = try await harness.send("DELETE", "\(Self.base)/\(id)")
        #expect(deleted.status == 409)
        #expect(deleted.detail.contains("identity"))
        #expect(try await harness.send("POST", "\(Self.base)/\(id)/rotate-secret").status == 409)
    }

    @Test func `a rotation shows a new secret`() async throws {
        let harness = try await APIHarness()
        let (id, old) = try await harness.createTunnel("my-agent")
        let reply = try await harness.send("POST", "\(Self.base)/\(id)/rotate-secret")
        #expect(reply.status == 200)
        let new = try #require(reply.json["connect_secret"]?.stringValue)
        #expect(try SecretFormat.kind(of: new) == .connectSecret)
        #expect(new != old)
        #expect(harness.events.changes == [.created, .secretRotated])
    }

    @Test func `a conflict about a status never has the words of a mode mismatch`() async throws {
        let harness = try await APIHarness()
        let edge = try await harness.createTunnel("one").id
        let passthrough = try await harness.createTunnel("two", tlsMode: .passthrough).id
        let own = try harness.arrangeIdentityTunnel("three").id
        var conflicts: [Reply] = []
        func provoke(_ method: String, _ path: String, _ body: String = "") async throws {
            let reply = try await harness.send(method, Self.base + path, body)
            #expect(reply.status == 409)
            conflicts.append(reply)
        }
        for id in [edge, passthrough] {
            try await provoke("POST", "/\(id)/restore")
            try await provoke("DELETE", "/\(id)/force")
            _ = try await harness.send("DELETE", "\(Self.base)/\(id)")
            try await provoke("PATCH", "/\(id)", #"{"description":"x"}"#)
            try await provoke("POST", "/\(id)/rotate-secret")
        }
        try await provoke("POST", "/\(passthrough)/sign-csr", #"{"csr_pem":"x"}"#)
        try await provoke("DELETE", "/\(own)")
        try await provoke("POST", "/\(own)/rotate-secret")
        harness.clock.advance(by: .hours(25))
        try await provoke("POST", "/\(passthrough)/restore")
        for reply in conflicts {
            let text = reply.detail.lowercased()
            for word in ["edge", "tls_mode", "passthrough"] { #expect(!text.contains(word), "\(text)") }
            #expect(!text.isEmpty)
        }
    }
}
