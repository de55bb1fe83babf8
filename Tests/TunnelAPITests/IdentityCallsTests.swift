import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// Section 4 of the control plane: identities with their tunnels.
struct IdentityCallsTests {
    private static let base = "/api/v1/identities"

    @Test func `an identity comes with its tunnel and every member that clients read`() async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send(
            "POST", Self.base,
            #"{"agent_handle":"@My-Agent","display_name":"Some Agent","description":"about it","#
                + #""tunnel":{"tls_mode":"passthrough"}}"#
        )
        #expect(reply.status == 201)
        #expect(reply["ratelimit"] != nil)
        let json = reply.json
        #expect(json["agent_handle"] == .string("my-agent"))
        #expect(json["display_name"] == .string("Some Agent"))
        #expect(json["description"] == .string("about it"))
        #expect(json["organization_id"] == .string(harness.home.organization.id.text))
        #expect(json["signing_key_configured"] == .bool(false))
        for name in ["email_address", "mailbox", "phone_number", "imessage_number"] { #expect(json[name] == .null, "\(name)") }
        let tunnel = try #require(json["tunnel"])
        #expect(tunnel["tunnel_name"] == .string("my-agent"))
        #expect(tunnel["agent_identity_id"] == json["id"])
        #expect(tunnel["tls_mode"] == .string("passthrough"))
        #expect(tunnel["status"] == .string("awaiting_cert"))
        #expect(tunnel["public_host"] == .string("my-agent.localhost"))
        #expect(try await harness.send("GET", Self.base + "/my-agent").json == json)
        #expect(try await harness.send("GET", Self.base + "/%40MY-agent/").json == json)
        #expect(try await harness.send("GET", Self.base).json == .array([json]))

        let id = try #require(tunnel["id"]?.stringValue)
        let full = try await harness.send("GET", "/api/v1/tunnels/\(id)")
        #expect(full.json["agent_identity_id"] == json["id"])
        #expect(harness.events.changes == [.created])
        #expect(harness.store.contents.events.map(\.type) == [.tunnelCreated, .identityCreated])
        #expect(harness.store.contents.audit.suffix(2).map(\.entry.action) == [.identityCreate, .tunnelCreate])
    }

    @Test(arguments: [
        (#"{}"#, ["/agent_handle"]), (#"{"agent_handle":7}"#, ["/agent_handle"]),
        (#"{"agent_handle":null}"#, ["/agent_handle"]),
        (#"{"agent_handle":"a"}"#, ["/agent_handle"]), (#"{"agent_handle":"@@abc"}"#, ["/agent_handle"]),
        (#"{"agent_handle":"abc\n"}"#, ["/agent_handle"]), (#"{"agent_handle":"abc","display_name":""}"#, ["/display_name"]),
        (#"{"agent_handle":"abc","display_name":7}"#, ["/display_name"]),
        (#"{"agent_handle":"abc","description":"\#(String(repeating: "x", count: 1001))"}"#, ["/description"]),
        (#"{"agent_handle":"abc","description":"\u0000"}"#, ["/description"]),
        (#"{"agent_handle":"abc","tunnel":7}"#, ["/tunnel"]),
        (#"{"agent_handle":"abc","tunnel":{"tls_mode":"x"}}"#, ["/tunnel/tls_mode"]),
        (#"{"agent_handle":"abc","mailbox":{}}"#, ["/mailbox"]),
        (
            #"{"agent_handle":"abc","phone_number":{"type":"local"},"imessage_enabled":true}"#,
            ["/phone_number", "/imessage_enabled"]
        ),
        (#"{"agent_handle":"abc","vault_secret_ids":"*"}"#, ["/vault_secret_ids"]),
    ])
    func `what breaks a rule or asks for another channel is 422`(body: String, pointers: [String]) async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send("POST", Self.base, body)
        #expect(reply.status == 422)
        #expect(reply.pointers == pointers)
        #expect(harness.store.contents.identities.isEmpty && harness.store.contents.tunnels.isEmpty)
    }

    @Test func `asking for no channel is asking for nothing`() async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send(
            "POST", Self.base,
            #"{"agent_handle":"abc","mailbox":null,"imessage_enabled":false,"display_name":null,"description":null,"#
                + #""tunnel":null}"#
        )
        #expect(reply.status == 201)
        #expect(reply.json["display_name"] == .string("abc"))
        #expect(reply.json["tunnel"]?["tls_mode"] == .string("edge"))
    }

    @Test func `handles and tunnel names are one namespace over all organizations`() async throws {
        let harness = try await APIHarness()
        let foreign = Credential.key(harness.foreign.apiKey)
        let tunnel = try await harness.createTunnel("stands-alone").id
        _ = try await harness.send("POST", Self.base, #"{"agent_handle":"an-agent"}"#)
        for (handle, namespace) in [("stands-alone", "tunnels"), ("an-agent", "identities"), ("web-hook", "tunnels")] {
            for credential in [.key(harness.home.apiKey), foreign] {
                let reply = try await harness.send("POST", Self.base, #"{"agent_handle":"@\#(handle)"}"#, as: credential)
                #expect(reply.status == 409)
                #expect(reply.json["detail"]?["code"] == .string("agent_handle_unavailable"))
                #expect(reply.json["detail"]?["blocking_namespace"] == .string(namespace), "\(handle)")
                #expect(reply.json["detail"]?["detail"]?.stringValue?.contains(handle) == true)
            }
        }
        #expect(try await harness.send("POST", "/api/v1/tunnels", #"{"tunnel_name":"an-agent"}"#).status == 409)

        _ = try await harness.send("DELETE", "/api/v1/tunnels/\(tunnel)")
        #expect(try await harness.send("POST", Self.base, #"{"agent_handle":"stands-alone"}"#).status == 409)
        harness.clock.advance(by: .hours(24))
        #expect(try await harness.send("POST", Self.base, #"{"agent_handle":"stands-alone"}"#).status == 201)
    }

    @Test func `identities count towards the organization's ten creates of a day`() async throws {
        let harness = try await APIHarness()
        for number in 0..<9 {
            #expect(try await harness.send("POST", Self.base, #"{"agent_handle":"agent-\#(number)"}"#).status == 201)
        }
        _ = try await harness.createTunnel("tenth")
        let late = try await harness.send("POST", Self.base, #"{"agent_handle":"eleventh"}"#)
        #expect(late.status == 429)
        #expect(late["retry-after"] != nil)
        #expect(try await harness.send("POST", "/api/v1/tunnels", #"{"tunnel_name":"eleventh"}"#).status == 429)
        #expect(try await harness.send("PATCH", Self.base + "/agent-0", #"{"agent_handle":"eleventh"}"#).status == 200)
        harness.clock.advance(by: .hours(24))
        #expect(try await harness.send("POST", Self.base, #"{"agent_handle":"twelfth"}"#).status == 201)
    }

    @Test func `a create is carried out once under one key`() async throws {
        let harness = try await APIHarness()
        let key = [("idempotency-key", "k")]
        let first = try await harness.send("POST", Self.base, #"{"agent_handle":"abc"}"#, fields: key)
        let again = try await harness.send("POST", Self.base + "/", #"{"agent_handle":"abc"}"#, fields: key)
        #expect((first.status, again.status, again["idempotency-replayed"]) == (201, 201, "true"))
        #expect(first.body == again.body)
        let taken = try await harness.send("POST", Self.base, #"{"agent_handle":"abc"}"#, fields: [("idempotency-key", "l")])
        let takenAgain = try await harness.send(
            "POST", Self.base, #"{"agent_handle":"abc"}"#, fields: [("idempotency-key", "l")])
        #expect((taken.status, takenAgain.status) == (409, 409))
        #expect(taken.json["detail"] == takenAgain.json["detail"])
        #expect(harness.store.contents.identities.count == 1)
    }

    @Test func `an update keeps what it does not name, clears with null, and says 422 of other things`() async throws {
        let harness = try await APIHarness()
        _ = try await harness.send("POST", Self.base, #"{"agent_handle":"abc","display_name":"A","description":"B"}"#)
        let path = Self.base + "/abc"
        #expect(try await harness.send("PATCH", path, #"{"imessage_enabled":false}"#).json["display_name"] == .string("A"))
        let cleared = try await harness.send("PATCH", path, #"{"display_name":null,"description":"C"}"#)
        #expect((cleared.status, cleared.json["display_name"], cleared.json["description"]) == (200, .null, .string("C")))
        for (body, pointer) in [
            (#"{"agent_handle":null}"#, "/agent_handle"), (#"{"agent_handle":"x"}"#, "/agent_handle"),
            (#"{"tunnel":{"tls_mode":"edge"}}"#, "/tunnel"), (#"{"imessage_enabled":true}"#, "/imessage_enabled"),
            (#"{"display_name":7}"#, "/display_name"),
        ] {
            let reply = try await harness.send("PATCH", path, body)
            #expect((reply.status, reply.pointers) == (422, [pointer]))
        }
        #expect(harness.events.changes == [.created], "the tunnel did not change")
        #expect(harness.store.contents.events.map(\.type).last == .identityUpdated)
    }

    @Test func `a new handle renames the tunnel and frees the old one`() async throws {
        let harness = try await APIHarness()
        let made = try await harness.send("POST", Self.base, #"{"agent_handle":"old-name"}"#)
        let reply = try await harness.send("PATCH", Self.base + "/old-name", #"{"agent_handle":"@New-Name"}"#)
        #expect(reply.status == 200)
        #expect(reply.json["id"] == made.json["id"])
        #expect(reply.json["agent_handle"] == .string("new-name"))
        #expect(reply.json["tunnel"]?["public_host"] == .string("new-name.localhost"))
        #expect(reply.json["tunnel"]?["id"] == made.json["tunnel"]?["id"])
        #expect(try await harness.send("GET", Self.base + "/old-name").status == 404)
        #expect(harness.events.changes == [.created, .updated])
        #expect(harness.events.all.last?.tunnel.name.text == "new-name")
        let entry = try #require(harness.store.contents.audit.map(\.entry).last { $0.action == .identityUpdate })
        #expect(entry.detailsJSON == #"{"old_handle":"old-name","new_handle":"new-name"}"#)
        #expect(try await harness.send("POST", Self.base, #"{"agent_handle":"old-name"}"#).status == 201)

        let back = try await harness.send("PATCH", Self.base + "/new-name", #"{"agent_handle":"old-name","description":"x"}"#)
        #expect(back.status == 409)
        #expect(back.json["detail"]?["blocking_namespace"] == .string("identities"))
        #expect(try await harness.send("GET", Self.base + "/new-name").json == reply.json)
        #expect(try await harness.send("PATCH", Self.base + "/new-name", #"{"agent_handle":"admin"}"#).status == 409)
    }

    @Test func `a deleted identity takes its tunnel and keys along, and its handle is free`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        let other = try await harness.createIdentity("other")
        let reply = try await harness.send("DELETE", Self.base + "/abc")
        #expect((reply.status, reply.body) == (204, []))
        #expect(try await harness.send("GET", Self.base + "/abc").status == 404)
        #expect(try await harness.send("DELETE", Self.base + "/abc").status == 404)
        #expect(try await harness.send("GET", "/api/v1/tunnels/\(agent.tunnelID)").status == 404)
        #expect(try await harness.send("GET", "/api/v1/tunnels", as: .key(agent.key)).status == 401)
        #expect(try await harness.send("GET", "/api/v1/tunnels", as: .key(other.key)).status == 200)
        #expect(harness.events.changes == [.created, .created, .deleted])
        #expect(harness.events.endedKeys.map { APIKeyRecord.text(of: $0) } == [agent.keyID])
        #expect(
            harness.store.contents.events.suffix(3).map(\.type) == [.tunnelDeleted, .keyRevoked, .identityDeleted])
        let actions = harness.store.contents.audit.suffix(3).map(\.entry.action)
        #expect(actions == [.identityDelete, .tunnelFinalize, .keyRevoke])
        let again = try await harness.createIdentity("abc")
        #expect(again.id != agent.id)
    }

    @Test func `an identity's tunnel is neither deleted nor rotated by itself`() async throws {
        let harness = try await APIHarness()
        let agent = try await harness.createIdentity("abc")
        #expect(try await harness.send("DELETE", "/api/v1/tunnels/\(agent.tunnelID)").status == 409)
        #expect(try await harness.send("POST", "/api/v1/tunnels/\(agent.tunnelID)/rotate-secret").status == 409)
    }

    @Test func `an identity's key sees and changes its own identity and no other`() async throws {
        let harness = try await APIHarness()
        let (own, other) = (try await harness.createIdentity("own-agent"), try await harness.createIdentity("other"))
        let mine = Credential.key(own.key)
        guard case .array(let listed) = try await harness.send("GET", Self.base, as: mine).json else {
            Issue.record("the list is no array")
            return
        }
        #expect(listed.map { $0["id"]?.stringValue } == [own.id])
        #expect(try await harness.send("GET", Self.base + "/own-agent", as: mine).status == 200)
        #expect(try await harness.send("PATCH", Self.base + "/own-agent", #"{"description":"x"}"#, as: mine).status == 200)
        for (method, body) in [("GET", ""), ("PATCH", #"{"description":"x"}"#)] {
            let theirs = try await harness.send(method, Self.base + "/other", body, as: mine)
            let none = try await harness.send(method, Self.base + "/nobody", body, as: mine)
            #expect(theirs.status == 404)
            #expect(theirs.text == none.text)
        }
        #expect(try await harness.send("POST", Self.base, #"{"agent_handle":"third"}"#, as: mine).status == 403)
        #expect(try await harness.send("DELETE", Self.base + "/own-agent", as: mine).status == 403)
        #expect(try await harness.send("DELETE", Self.base + "/other", as: mine).status == 403)
        #expect(harness.store.contents.identities.count == 2)
        _ = other
    }

    @Test func `another organization's identity is a 404 like none`() async throws {
        let harness = try await APIHarness()
        _ = try await harness.createIdentity("abc")
        let foreign = Credential.key(harness.foreign.apiKey)
        let before = harness.store.contents.identities
        for (method, body) in [("GET", ""), ("PATCH", #"{"agent_handle":"stolen"}"#), ("DELETE", "")] {
            let theirs = try await harness.send(method, Self.base + "/abc", body, as: foreign)
            #expect(theirs.status == 404)
            for path in ["/nobody", "/a", "/%00", "/UPPER_case"] {
                let none = try await harness.send(method, Self.base + path, body, as: foreign)
                #expect(none.text == theirs.text)
            }
        }
        #expect(harness.store.contents.identities == before)
        #expect(try await harness.send("GET", Self.base, as: foreign).json == .array([]))
    }

    @Test func `a list comes whole, or in pages with a link to the next`() async throws {
        let harness = try await APIHarness()
        for number in 0..<5 {
            _ = try await harness.createIdentity("agent-\(number)")
            harness.clock.advance(by: .seconds(1))
        }
        func handles(_ reply: Reply) -> [String?] {
            guard case .array(let items) = reply.json else { return [] }
            return items.map { $0["agent_handle"]?.stringValue }
        }
        let all = try await harness.send("GET", Self.base)
        #expect(handles(all) == ["agent-4", "agent-3", "agent-2", "agent-1", "agent-0"])
        #expect(all["link"] == nil)
        var target: String? = Self.base + "?limit=2"
        var paged: [String?] = []
        var pageCount = 0
        while let next = target {
            let page = try await harness.send("GET", next)
            paged += handles(page)
            pageCount += 1
            target = page["link"].flatMap { link in
                link.hasSuffix(#">; rel="next""#) ? String(link.dropFirst().prefix { $0 != ">" }) : nil
            }
        }
        #expect(paged == handles(all))
        #expect(pageCount == 3)
        for query in ["?limit=0", "?limit=201", "?cursor=x"] {
            #expect(try await harness.send("GET", Self.base + query).status == 422)
        }
    }
}
