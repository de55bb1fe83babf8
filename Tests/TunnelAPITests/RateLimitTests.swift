import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService

/// Limits count successes in a rolling window; nothing else costs anything.
struct RateLimitTests {
    private static let base = "/api/v1/tunnels"

    @Test func `ten creates fit into a day and the eleventh waits for the first to leave`() async throws {
        let harness = try await APIHarness()
        for number in 0..<10 {
            let reply = try await harness.send("POST", Self.base, #"{"tunnel_name":"agent-\#(number)"}"#)
            #expect(reply.status == 201)
            #expect(reply["ratelimit-policy"] == #""tunnel-creates";q=10;w=86400"#)
            #expect(reply["ratelimit"]?.hasPrefix(#""tunnel-creates";r=\#(9 - number);"#) == true)
            harness.clock.advance(by: .seconds(60))
        }
        let eleventh = #"{"tunnel_name":"agent-10"}"#
        let refused = try await harness.send("POST", Self.base, eleventh)
        #expect(refused.status == 429)
        #expect(refused["retry-after"] == String(86_400 - 600))
        #expect(refused["ratelimit-policy"] == #""tunnel-creates";q=10;w=86400"#)
        #expect(refused["ratelimit"] == #""tunnel-creates";r=0;t=\#(86_400 - 600)"#)
        #expect(harness.store.contents.tunnels.count == 10)

        harness.clock.advance(by: .seconds(86_400 - 600) - .microseconds(1))
        #expect(try await harness.send("POST", Self.base, eleventh).status == 429)
        harness.clock.advance(by: .microseconds(1))
        #expect(try await harness.send("POST", Self.base, eleventh).status == 201)
        #expect(try await harness.send("POST", Self.base, #"{"tunnel_name":"agent-11"}"#).status == 429)
    }

    @Test func `refused and failed creates cost nothing, and organizations do not share`() async throws {
        let harness = try await APIHarness()
        for number in 0..<9 { _ = try await harness.createTunnel("agent-\(number)") }
        for body in [#"{"tunnel_name":"agent-1"}"#, #"{"tunnel_name":"admin"}"#, #"{"tunnel_name":"X"}"#, "{", "{}"] {
            for _ in 0..<5 { #expect(try await harness.send("POST", Self.base, body).status < 429) }
        }
        harness.store.fail(writes: .full)
        #expect(try await harness.send("POST", Self.base, #"{"tunnel_name":"agent-9"}"#).status == 507)
        harness.store.fail()
        #expect(try await harness.send("POST", Self.base, #"{"tunnel_name":"agent-9"}"#).status == 201)
        #expect(try await harness.send("POST", Self.base, #"{"tunnel_name":"agent-x"}"#).status == 429)
        let foreign = try await harness.send(
            "POST", Self.base, #"{"tunnel_name":"agent-x"}"#, as: .key(harness.foreign.apiKey))
        #expect(foreign.status == 201)
    }

    @Test func `deleting a tunnel gives no create back`() async throws {
        let harness = try await APIHarness()
        for number in 0..<10 {
            let id = try await harness.createTunnel("agent-\(number)").id
            _ = try await harness.send("DELETE", "\(Self.base)/\(id)")
            _ = try await harness.send("DELETE", "\(Self.base)/\(id)/force")
        }
        #expect(try await harness.send("POST", Self.base, #"{"tunnel_name":"one-more"}"#).status == 429)
    }

    @Test func `five rotations fit into a day for each tunnel`() async throws {
        let harness = try await APIHarness()
        let (one, two) = (try await harness.createTunnel("one").id, try await harness.createTunnel("two").id)
        for _ in 0..<5 { #expect(try await harness.send("POST", "\(Self.base)/\(one)/rotate-secret").status == 200) }
        let hash = harness.store.contents.tunnels[try #require(TunnelID(one))]?.connectSecretHash
        let refused = try await harness.send("POST", "\(Self.base)/\(one)/rotate-secret")
        #expect(refused.status == 429)
        #expect(refused["retry-after"] == "86400")
        #expect(harness.store.contents.tunnels[try #require(TunnelID(one))]?.connectSecretHash == hash)
        #expect(try await harness.send("POST", "\(Self.base)/\(two)/rotate-secret").status == 200)
        harness.clock.advance(by: .hours(24))
        #expect(try await harness.send("POST", "\(Self.base)/\(one)/rotate-secret").status == 200)
    }

    @Test func `ten signatures fit into a day, and the issuer is not asked for an eleventh`() async throws {
        let start = ManualClock().now
        let certificate = TunnelCertificate(
            pem: "leaf\n", chainPEM: "chain\n", fingerprintSHA256: "ab",
            validity: CertificateValidity(notBefore: start, notAfter: start + .days(90)))
        let issuer = MemoryIssuer(.success(certificate))
        let harness = try await APIHarness(issuer: issuer)
        let path = "\(Self.base)/\(try await harness.createTunnel("my-agent", tlsMode: .passthrough).id)/sign-csr"
        for _ in 0..<10 { #expect(try await harness.send("POST", path, #"{"csr_pem":"x"}"#).status == 200) }
        #expect(try await harness.send("POST", path, #"{"csr_pem":"x"}"#).status == 429)
        #expect(issuer.requestedHosts.count == 10)
    }

    @Test func `after an operator has lowered a limit the wait that is told suffices`() async throws {
        let zone = try Zone(validating: "localhost")
        let harness = try await APIHarness()
        for number in 0..<4 {
            _ = try await harness.createTunnel("agent-\(number)")
            harness.clock.advance(by: .hours(1))
        }
        let lowered = RateLimit(limit: 2, window: .days(1), name: "tunnel-creates")
        let api = ControlPlaneAPI(
            ports: harness.ports, rules: ServiceRules(zone: zone, tunnelCreates: lowered), readiness: harness.readiness,
            metrics: NoMetrics(), instant: { [clock = harness.clock] in clock.instant })
        let strict = harness.with(api)
        let refused = try await strict.send("POST", Self.base, #"{"tunnel_name":"agent-4"}"#)
        #expect(refused.status == 429)
        let wait = try #require(refused["retry-after"].flatMap { Int64($0) })
        harness.clock.advance(by: .seconds(wait) - .microseconds(1))
        #expect(try await strict.send("POST", Self.base, #"{"tunnel_name":"agent-4"}"#).status == 429)
        harness.clock.advance(by: .microseconds(1))
        #expect(try await strict.send("POST", Self.base, #"{"tunnel_name":"agent-4"}"#).status == 201)
    }

    @Test func `a limit of none allows none`() async throws {
        let zone = try Zone(validating: "localhost")
        let none = RateLimit(limit: 0, window: .days(1), name: "tunnel-creates")
        let harness = try await APIHarness(rules: ServiceRules(zone: zone, tunnelCreates: none))
        let refused = try await harness.send("POST", Self.base, #"{"tunnel_name":"agent"}"#)
        #expect(refused.status == 429)
        #expect(refused["retry-after"] != nil)
    }
}
