import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// Section 2 of the control plane: what holds for every call.
struct ConventionsTests {
    /// Every route below the API's base, with a body that it takes.
    static let calls: [(method: String, path: String, body: String)] = [
        ("GET", "/api/v1/tunnels", ""),
        ("POST", "/api/v1/tunnels", #"{"tunnel_name":"fresh-name"}"#),
        ("GET", "/api/v1/tunnels/ID", ""),
        ("PATCH", "/api/v1/tunnels/ID", #"{"description":"new"}"#),
        ("DELETE", "/api/v1/tunnels/ID", ""),
        ("POST", "/api/v1/tunnels/ID/restore", ""),
        ("DELETE", "/api/v1/tunnels/ID/force", ""),
        ("POST", "/api/v1/tunnels/ID/rotate-secret", ""),
        ("POST", "/api/v1/tunnels/ID/sign-csr", #"{"csr_pem":"x"}"#),
    ]

    /// Credentials that must all be refused alike.
    static let refused: [(name: String, make: @Sendable (APIHarness) -> (Credential, [(String, String)]))] = [
        ("none", { _ in (.none, []) }),
        ("empty", { _ in (.key(""), []) }),
        ("another kind", { _ in (.key("tnl_0123456789abcdef0123456789abcdef"), []) }),
        ("unknown", { _ in (.key(SecretFormat.apiKey(randomBytes: [UInt8](repeating: 7, count: 32))), []) }),
        ("mistyped", { (.key(String($0.home.apiKey.dropLast()) + "?"), []) }),
        ("shortened", { (.bearer(String($0.home.apiKey.dropLast())), []) }),
        ("basic", { (.none, [("authorization", "Basic \($0.home.apiKey)")]) }),
        ("without a scheme", { (.none, [("authorization", $0.home.apiKey)]) }),
        ("two different ones", { (.key($0.home.apiKey), [("authorization", "Bearer \($0.foreign.apiKey)")]) }),
    ]

    @Test(arguments: calls.indices, refused.indices)
    func `without a credential that counts every call is 401 and says no more`(call: Int, credential: Int) async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let before = harness.store.contents.tunnels
        let (method, path, body) = Self.calls[call]
        let (key, fields) = Self.refused[credential].make(harness)

        let reply = try await harness.send(
            method, path.replacing("ID", with: id), body, as: key, fields: fields)

        #expect(reply.status == 401)
        #expect(reply["www-authenticate"]?.hasPrefix("Bearer") == true)
        #expect(reply["content-type"] == "application/problem+json")
        let bare = try await harness.send("GET", "/api/v1/tunnels", as: Credential.none)
        #expect(reply.text == bare.text, "wrong and missing credentials are told apart")
        #expect(harness.store.contents.tunnels == before)
    }

    @Test func `revoked and expired keys are 401 from that very moment`() async throws {
        let harness = try await APIHarness()
        let now = harness.clock.now
        harness.store.arrange { $0.apiKeys[0].revokedAt = now + .microseconds(1) }
        #expect(try await harness.send("GET", "/api/v1/tunnels").status == 200)
        harness.clock.advance(by: .microseconds(1))
        #expect(try await harness.send("GET", "/api/v1/tunnels").status == 401)

        harness.store.arrange { ($0.apiKeys[0].revokedAt, $0.apiKeys[0].expiresAt) = (nil, now + .microseconds(2)) }
        #expect(try await harness.send("GET", "/api/v1/tunnels").status == 200)
        harness.clock.advance(by: .microseconds(1))
        #expect(try await harness.send("GET", "/api/v1/tunnels").status == 401)
    }

    @Test(arguments: ["Bearer ", "bearer ", "BEARER  "])
    func `the key counts in either header`(scheme: String) async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send(
            "GET", "/api/v1/tunnels", as: Credential.none, fields: [("authorization", scheme + harness.home.apiKey)])
        #expect(reply.status == 200)
        let both = try await harness.send(
            "GET", "/api/v1/tunnels", fields: [("authorization", scheme + harness.home.apiKey)])
        #expect(both.status == 200)
    }

    @Test(arguments: calls.filter { $0.path.contains("ID") })
    func `another organization's tunnel is a 404 like none`(method: String, path: String, body: String) async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        if path.hasSuffix("force") { _ = try await harness.send("DELETE", "/api/v1/tunnels/\(id)") }
        let before = harness.store.contents.tunnels
        let foreign = Credential.key(harness.foreign.apiKey)

        let theirs = try await harness.send(method, path.replacing("ID", with: id), body, as: foreign)
        let none = try await harness.send(
            method, path.replacing("ID", with: "00000000-0000-4000-8000-000000000000"), body, as: foreign)
        let noID = try await harness.send(method, path.replacing("ID", with: "no-id"), body, as: foreign)

        #expect(theirs.status == 404)
        #expect(theirs.text == none.text)
        #expect(theirs.text == noID.text)
        #expect(theirs.fields.pairs.map(\.name) == none.fields.pairs.map(\.name))
        #expect(harness.store.contents.tunnels == before)
    }

    @Test(arguments: calls)
    func `an identity's key does what the permission table says`(method: String, path: String, body: String) async throws {
        let harness = try await APIHarness()
        let other = try await harness.createTunnel("my-agent").id
        let own = try harness.arrangeIdentityTunnel("own-agent")

        let onOther = try await harness.send(method, path.replacing("ID", with: other), body, as: .key(own.key))
        let onOwn = try await harness.send(method, path.replacing("ID", with: own.id), body, as: .key(own.key))

        let isForAdmins = path.hasSuffix("force") || (method, path) == ("POST", "/api/v1/tunnels")
        if isForAdmins {
            #expect(onOther.status == 403 && onOwn.status == 403)
            #expect(onOther.text == onOwn.text)
        } else if path == "/api/v1/tunnels" {
            #expect(onOwn.status == 200)
            #expect(onOwn.text.contains(own.id) && !onOwn.text.contains(other))
        } else {
            #expect(onOther.status == 404)
            #expect([200, 409].contains(onOwn.status), "\(onOwn.status)")
        }
    }

    @Test(arguments: calls)
    func `one trailing slash changes nothing and two are another path`(
        method: String, path: String, body: String
    ) async throws {
        let plain = try await APIHarness()
        let slashed = try await APIHarness()
        let id = try await plain.createTunnel("my-agent").id
        let sameID = try await slashed.createTunnel("my-agent").id
        #expect(id == sameID)
        let path = path.replacing("ID", with: id)

        let reply = try await plain.send(method, path, body)
        #expect(try await slashed.send(method, path + "//", body).status == 404)
        let other = try await slashed.send(method, path + "/", body)
        #expect((reply.status, reply.text) == (other.status, other.text))
    }

    @Test(arguments: [
        ("PUT", "/api/v1/tunnels", "GET, HEAD, POST"), ("DELETE", "/api/v1/tunnels/", "GET, HEAD, POST"),
        ("POST", "/api/v1/tunnels/x", "GET, HEAD, PATCH, DELETE"), ("GET", "/api/v1/tunnels/x/restore", "POST"),
        ("POST", "/api/v1/tunnels/x/force", "DELETE"), ("GET", "/api/v1/tunnels/x/rotate-secret", "POST"),
        ("get", "/api/v1/tunnels", "GET, HEAD, POST"), ("POST", "/healthz", "GET, HEAD"), ("PUT", "/readyz", "GET, HEAD"),
    ])
    func `a known path with another method is 405 and says which are served`(
        method: String, path: String, allowed: String
    ) async throws {
        let reply = try await APIHarness().send(method, path)
        #expect(reply.status == 405)
        #expect(reply["allow"] == allowed)
    }

    @Test(arguments: [
        "/", "", "/api", "/api/v1", "/api/v1/", "/api/v1/tunnel", "/api/v2/tunnels", "/api/v1//tunnels", "/API/v1/tunnels",
        "/api/v1/tunnels//", "/api/v1/tunnels/x/y", "/api/v1/tunnels/x/restore/y", "/api/v1/%74unnels", "*", "api/v1/tunnels",
        "/api/v1/../v1/tunnels",
    ])
    func `an unknown path is 404 whoever asks`(path: String) async throws {
        let harness = try await APIHarness()
        #expect(try await harness.send("GET", path).status == 404)
        #expect(try await harness.send("GET", path, as: Credential.none).status == 404)
    }

    @Test func `every answer carries its request id and is not to be cached`() async throws {
        let harness = try await APIHarness()
        for (method, path, credential) in [
            ("GET", "/healthz", Credential.none), ("GET", "/nowhere", .none), ("GET", "/api/v1/tunnels", .none),
            ("GET", "/api/v1/tunnels", .key(harness.home.apiKey)), ("PUT", "/api/v1/tunnels", .none),
        ] {
            let reply = try await harness.send(method, path, as: credential)
            #expect(reply["x-request-id"] == "req-1")
            #expect(reply["cache-control"] == "no-store")
        }
        let problem = try await harness.send("GET", "/nowhere")
        #expect(problem.json["instance"] == .string("urn:culvert:request:req-1"))
        #expect(problem.json["status"] == .number("404"))
        #expect(problem.json["type"]?.stringValue?.hasPrefix("urn:culvert:problem:") == true)
        #expect(problem.json["title"]?.stringValue?.isEmpty == false)
    }

    @Test func `HEAD is answered like GET without a body`() async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send("HEAD", "/api/v1/tunnels")
        #expect(reply.status == 200)
        #expect(reply.body.isEmpty)
        #expect(try await harness.send("HEAD", "/api/v1/tunnels", as: Credential.none).status == 401)
    }
}
