import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// When the store fails the client hears why, and nothing has changed.
struct StoreFaultTests {
    private static let faults: [(StoreError, Int)] = [
        (.full, 507), (.busy, 503), (.readOnly, 503), (.corrupt("page 7"), 503), (.io("fdatasync"), 503), (.closed, 503),
        (.constraint("tunnels.name"), 500),
    ]

    @Test(arguments: faults)
    func `a failing write answers with the reason and changes nothing`(fault: StoreError, status: Int) async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let before = harness.store.contents.tunnels
        harness.store.fail(writes: fault)
        for (method, path, body) in [
            ("POST", "", #"{"tunnel_name":"other"}"#), ("PATCH", "/\(id)", #"{"description":"x"}"#), ("DELETE", "/\(id)", ""),
            ("POST", "/\(id)/rotate-secret", ""),
        ] {
            let reply = try await harness.send(method, "/api/v1/tunnels" + path, body)
            #expect(reply.status == status)
            #expect(reply["content-type"] == "application/problem+json")
            #expect(reply.detail.count > 20)
            #expect(!reply.detail.contains("page 7") && !reply.detail.contains("fdatasync"))
        }
        #expect(harness.store.contents.tunnels == before)
        #expect(harness.events.changes == [.created])
        #expect(harness.faults.all.count == 4)
        #expect(harness.faults.all.allSatisfy { $0.hasPrefix("req-1 ") })
    }

    @Test(arguments: [StoreError.full, .readOnly])
    func `a store that takes no writes still answers reads`(fault: StoreError) async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        harness.store.fail(writes: fault)
        harness.clock.advance(by: .hours(1))
        #expect(try await harness.send("GET", "/api/v1/tunnels").status == 200)
        #expect(try await harness.send("GET", "/api/v1/tunnels/\(id)").status == 200)
        harness.store.fail()
        #expect(try await harness.send("DELETE", "/api/v1/tunnels/\(id)").status == 200)
    }

    @Test func `a failing read is the service's fault, not the credential's`() async throws {
        let harness = try await APIHarness()
        harness.store.fail(reads: .io("pread"))
        #expect(try await harness.send("GET", "/api/v1/tunnels").status == 503)
    }

    @Test func `a key's use is written down once a minute`() async throws {
        let harness = try await APIHarness()
        let start = harness.clock.now
        func lastUse() -> Timestamp? { harness.store.contents.apiKeys[0].lastUsedAt }
        #expect(lastUse() == nil)
        _ = try await harness.send("GET", "/api/v1/tunnels")
        #expect(lastUse() == start)
        harness.clock.advance(by: .seconds(60) - .microseconds(1))
        _ = try await harness.send("GET", "/api/v1/tunnels")
        #expect(lastUse() == start)
        harness.clock.advance(by: .microseconds(1))
        _ = try await harness.send("GET", "/api/v1/tunnels")
        #expect(lastUse() == harness.clock.now)
    }

    @Test func `health is answered to everyone and readiness names what is missing`() async throws {
        let harness = try await APIHarness()
        harness.store.fail(reads: .closed, writes: .closed)
        let health = try await harness.send("GET", "/healthz/", as: Credential.none)
        #expect((health.status, health.text) == (200, #"{"status":"ok"}"#))
        let ready = try await harness.send("GET", "/readyz", as: Credential.none)
        #expect((ready.status, ready.text) == (200, #"{"status":"ready","checks":{"store":"ok","listeners":"ok"}}"#))
        harness.readiness.set([ReadinessCheck("store", problem: "the disk is full"), ReadinessCheck("listeners")])
        let unready = try await harness.send("GET", "/readyz", as: Credential.none)
        #expect(unready.status == 503)
        #expect(unready.json["checks"]?["store"] == .string("the disk is full"))
    }
}
