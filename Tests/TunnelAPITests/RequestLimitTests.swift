import HTTPTransport
import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// Limits on requests as such, whatever they ask.
struct RequestLimitTests {
    private static let tunnels = "/api/v1/tunnels"

    private func harness(requests: Int = 1_000_000, failures: Int = 1_000_000) async throws -> APIHarness {
        var rules = try ServiceRules(zone: Zone(validating: "localhost"))
        rules.requests.apiRequests = RateLimit(limit: requests, window: .seconds(60), name: "api-requests")
        rules.requests.authFailures = RateLimit(limit: failures, window: .seconds(60), name: "auth-failures")
        return try await APIHarness(rules: rules)
    }

    @Test func `an address has so many requests a minute, whatever they ask`() async throws {
        let harness = try await harness(requests: 4)
        for (method, path, status) in [
            ("GET", Self.tunnels, 200), ("GET", "/nothing", 404), ("PUT", Self.tunnels, 405),
            ("GET", "/api/v1/openapi.json", 200),
        ] {
            #expect(try await harness.send(method, path).status == status)
        }
        let refused = try await harness.send("GET", Self.tunnels)
        #expect(refused.status == 429)
        #expect(refused["retry-after"] == "15")
        #expect(refused["ratelimit-policy"] == #""api-requests";q=4;w=60"#)
        #expect(refused["ratelimit"] == #""api-requests";r=0;t=15"#)
        #expect(refused["content-type"] == "application/problem+json")
        #expect(refused["x-request-id"] == "req-1")
        #expect(try await harness.send("GET", Self.tunnels, as: Credential.none, from: "192.0.2.8").status == 401)
        harness.clock.advance(by: .seconds(15))
        #expect(try await harness.send("GET", Self.tunnels).status == 200)
        #expect(try await harness.send("GET", Self.tunnels).status == 429)
    }

    @Test func `a credential has so many requests a minute, from wherever they come`() async throws {
        let harness = try await harness(requests: 3)
        for host in 1...3 { #expect(try await harness.send("GET", Self.tunnels, from: "192.0.2.\(host)").status == 200) }
        let refused = try await harness.send("GET", Self.tunnels, from: "192.0.2.4")
        #expect(refused.status == 429)
        #expect(refused["retry-after"] == "20")
        let foreign = Credential.key(harness.foreign.apiKey)
        #expect(try await harness.send("GET", Self.tunnels, as: foreign, from: "192.0.2.4").status == 200)
    }

    @Test func `what load balancers ask is always answered`() async throws {
        let harness = try await harness(requests: 1)
        #expect(try await harness.send("GET", Self.tunnels).status == 200)
        #expect(try await harness.send("GET", Self.tunnels).status == 429)
        for path in ["/healthz", "/readyz"] { #expect(try await harness.send("GET", path).status == 200) }
    }

    @Test func `an IPv6 network is one address`() async throws {
        let harness = try await harness(requests: 2)
        for host in ["2001:db8::1", "2001:db8::ffff:2"] {
            #expect(try await harness.send("GET", Self.tunnels, as: Credential.none, from: host).status == 401)
        }
        #expect(try await harness.send("GET", Self.tunnels, from: "2001:db8::3").status == 429)
        #expect(try await harness.send("GET", Self.tunnels, from: "2001:db8:0:1::3").status == 200)
    }

    @Test func `too many failed authentications are 429, and a credential that counts gets in all the same`() async throws {
        let harness = try await harness(failures: 3)
        let wrong = Credential.key("ApiKey_wrong")
        for credential in [wrong, .basic("app_x", "y"), .none] {
            #expect(try await harness.send("GET", Self.tunnels, as: credential).status == 401)
        }
        let refused = try await harness.send("GET", Self.tunnels, as: wrong)
        #expect(refused.status == 429)
        #expect(refused["retry-after"] == "20")
        #expect(refused["ratelimit-policy"] == #""auth-failures";q=3;w=60"#)
        #expect(try await harness.send("GET", Self.tunnels).status == 200)
        #expect(try await harness.send("GET", Self.tunnels, as: wrong, from: "192.0.2.8").status == 401)
        harness.clock.advance(by: .seconds(20))
        #expect(try await harness.send("GET", Self.tunnels, as: wrong).status == 401)
        #expect(try await harness.send("GET", Self.tunnels, as: wrong).status == 429)
    }

    @Test func `a wall clock that is set neither frees nor holds anybody`() async throws {
        let harness = try await harness(requests: 1)
        #expect(try await harness.send("GET", Self.tunnels).status == 200)
        harness.clock.setWall(to: harness.clock.now + .days(90))
        #expect(try await harness.send("GET", Self.tunnels).status == 429)
        harness.clock.setWall(to: harness.clock.now - .days(180))
        harness.clock.advance(by: .seconds(60))
        #expect(try await harness.send("GET", Self.tunnels).status == 200)
    }
}
