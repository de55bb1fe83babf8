import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// Equal requests under one key have one effect and one answer.
struct IdempotencyTests {
    private static let base = "/api/v1/tunnels"
    private static let body = #"{"tunnel_name":"my-agent"}"#

    private func key(_ text: String) -> [(String, String)] { [("idempotency-key", text)] }

    @Test func `a repeated create gives the first answer again, secret included`() async throws {
        let harness = try await APIHarness()
        let first = try await harness.send("POST", Self.base, Self.body, fields: key("k"))
        harness.clock.advance(by: .hours(23))
        let again = try await harness.send("POST", Self.base + "/", Self.body, fields: key("k"))
        #expect((first.status, first["idempotency-replayed"]) == (201, nil))
        #expect((again.status, again["idempotency-replayed"]) == (201, "true"))
        #expect(again.body == first.body)
        #expect(again["content-type"] == "application/json")
        #expect(harness.store.contents.tunnels.count == 1)
        #expect(harness.store.contents.successes.count == 1)
        #expect(harness.events.changes == [.created])
    }

    @Test func `a repeated rotation does not rotate again`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let path = "\(Self.base)/\(id)/rotate-secret"
        let first = try await harness.send("POST", path, fields: key("k"))
        let again = try await harness.send("POST", path, fields: key("k"))
        #expect(first.body == again.body)
        #expect(again["idempotency-replayed"] == "true")
        #expect(harness.events.changes == [.created, .secretRotated])
        let other = try await harness.send("POST", path, fields: key("another"))
        #expect(other.body != first.body)
    }

    @Test(arguments: [
        ("/api/v1/tunnels", #"{"tunnel_name":"other"}"#), ("/api/v1/tunnels", #"{"tunnel_name":"my-agent"} "#),
        ("/api/v1/tunnels/ID/rotate-secret", ""), ("/api/v1/tunnels/ID/rotate-secret", #"{"tunnel_name":"my-agent"}"#),
    ])
    func `the same key for another request is 422`(path: String, body: String) async throws {
        let harness = try await APIHarness()
        let first = try await harness.send("POST", Self.base, Self.body, fields: key("k"))
        let id = try #require(first.json["tunnel"]?["id"]?.stringValue)
        let reply = try await harness.send("POST", path.replacing("ID", with: id), body, fields: key("k"))
        #expect(reply.status == 422)
        #expect(reply.pointers == ["Idempotency-Key"])
        #expect(harness.events.changes == [.created])
    }

    @Test func `a key is forgotten after 24 hours and belongs to one organization`() async throws {
        let harness = try await APIHarness()
        _ = try await harness.send("POST", Self.base, Self.body, fields: key("k"))
        let foreign = try await harness.send(
            "POST", Self.base, #"{"tunnel_name":"theirs"}"#, as: .key(harness.foreign.apiKey), fields: key("k"))
        #expect((foreign.status, foreign["idempotency-replayed"]) == (201, nil))

        harness.clock.advance(by: .hours(24) - .microseconds(1))
        #expect(try await harness.send("POST", Self.base, Self.body, fields: key("k"))["idempotency-replayed"] == "true")
        harness.clock.advance(by: .microseconds(1))
        let late = try await harness.send("POST", Self.base, Self.body, fields: key("k"))
        #expect((late.status, late["idempotency-replayed"]) == (409, nil), "the name is taken: it was carried out anew")
    }

    @Test func `a refusal is final, but not one that time alone lifts, nor the server's fault`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let conflict = try await harness.send("POST", Self.base, Self.body, fields: key("conflict"))
        #expect(conflict.status == 409)
        _ = try await harness.send("DELETE", "\(Self.base)/\(id)")
        _ = try await harness.send("DELETE", "\(Self.base)/\(id)/force")
        let again = try await harness.send("POST", Self.base, Self.body, fields: key("conflict"))
        #expect(again.status == 409)
        #expect(again.body == conflict.body)
        #expect(again["content-type"] == "application/problem+json")
        #expect(again["idempotency-replayed"] == "true")

        harness.store.fail(writes: .full)
        #expect(try await harness.send("POST", Self.base, Self.body, fields: key("fault")).status == 507)
        harness.store.fail()
        #expect(try await harness.send("POST", Self.base, Self.body, fields: key("fault")).status == 201)

        for number in 0..<8 { _ = try await harness.createTunnel("agent-\(number)") }
        let limited = try await harness.send("POST", Self.base, #"{"tunnel_name":"late"}"#, fields: key("limit"))
        #expect(limited.status == 429)
        harness.clock.advance(by: .hours(24))
        let later = try await harness.send("POST", Self.base, #"{"tunnel_name":"late"}"#, fields: key("limit"))
        #expect((later.status, later["idempotency-replayed"]) == (201, nil))
    }

    @Test func `a request that was never understood leaves its key free`() async throws {
        let harness = try await APIHarness()
        #expect(try await harness.send("POST", Self.base, "{", fields: key("k")).status == 400)
        #expect(try await harness.send("POST", Self.base, "{}", fields: key("k")).status == 422)
        #expect(try await harness.send("POST", Self.base, Self.body, fields: key("k")).status == 201)
    }

    @Test(.timeLimit(.minutes(5))) func `while the first request runs its key is 409`() async throws {
        let harness = try await APIHarness()
        let gate = Gate()
        // The key's first use is written down, which must not be the write that is held.
        _ = try await harness.send("GET", Self.base)
        harness.store.beforeWrite { await gate.arrive() }
        async let first = harness.send("POST", Self.base, Self.body, fields: key("k"))
        await gate.someoneArrived()
        let second = try await harness.send("POST", Self.base, Self.body, fields: key("k"))
        #expect(second.status == 409)
        #expect(second.detail.contains("still running"))
        harness.store.beforeWrite(nil)
        await gate.open()
        #expect(try await first.status == 201)
        #expect(try await harness.send("POST", Self.base, Self.body, fields: key("k"))["idempotency-replayed"] == "true")
    }

    @Test(.timeLimit(.minutes(5))) func `fifty equal requests at once make one tunnel`() async throws {
        let harness = try await APIHarness()
        let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
            for _ in 0..<50 {
                group.addTask { try await harness.send("POST", Self.base, Self.body, fields: [("idempotency-key", "k")]) }
            }
            return try await group.reduce(into: [Reply]()) { $0.append($1) }
        }
        #expect(replies.count { $0.status == 201 && $0["idempotency-replayed"] == nil } == 1)
        #expect(replies.allSatisfy { $0.status == 201 || $0.detail.contains("still running") })
        #expect(Set(replies.filter { $0.status == 201 }.map(\.body)).count == 1)
        #expect(harness.store.contents.tunnels.count == 1)
        #expect(harness.store.contents.audit.count { $0.entry.action == .tunnelCreate } == 1)
    }

    @Test(arguments: [
        ("/api/v1/tunnels", #"{"tunnel_name":"my-agent"}"#), ("/api/v1/tunnels/ID/rotate-secret", ""),
        ("/api/v1/tunnels/ID/restore", ""), ("/api/v1/tunnels/ID/sign-csr", #"{"csr_pem":"x"}"#),
    ])
    func `a key of 255 characters is taken and one of 256 is 422`(path: String, body: String) async throws {
        let harness = try await APIHarness()
        let path = path.replacing("ID", with: try await harness.createTunnel("agent").id)
        let long = try await harness.send("POST", path, body, fields: key(String(repeating: "k", count: 256)))
        #expect(long.status == 422)
        #expect(long.pointers == ["Idempotency-Key"])
        #expect(try await harness.send("POST", path, body, fields: key("")).status == 422)
        #expect(try await harness.send("POST", path, body, fields: key("a") + key("b")).status == 422)
        let right = try await harness.send("POST", path, body, fields: key(String(repeating: "k", count: 255)))
        #expect(right.status != 422)
    }

    @Test func `an answer that cannot be decrypted any more is not carried out again`() async throws {
        let harness = try await APIHarness()
        _ = try await harness.send("POST", Self.base, Self.body, fields: key("k"))
        let rekeyed = harness.with(
            ControlPlaneAPI(
                ports: harness.ports.with(sealer: MemorySealer(key: 0x11)), rules: harness.rules, readiness: harness.readiness,
                metrics: NoMetrics(), instant: { [clock = harness.clock] in clock.instant }))
        let reply = try await rekeyed.send("POST", Self.base, Self.body, fields: key("k"))
        #expect(reply.status == 500)
        #expect(harness.store.contents.tunnels.count == 1)
    }

    @Test func `a kept answer moved to another key does not open`() async throws {
        let harness = try await APIHarness()
        _ = try await harness.send("POST", Self.base, Self.body, fields: key("k"))
        harness.store.arrange { tables in
            let row = tables.replays[0]
            tables.replays = [
                ReplayRecord(
                    organizationID: row.organizationID, key: "stolen", fingerprint: row.fingerprint, status: row.status,
                    sealedBody: row.sealedBody, createdAt: row.createdAt)
            ]
        }
        #expect(try await harness.send("POST", Self.base, Self.body, fields: key("stolen")).status == 500)
    }
}
