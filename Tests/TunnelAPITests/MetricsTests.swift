import HTTPTransport
import Testing
import TunnelDomain
import TunnelService
import TunnelWire

@testable import TunnelAPI

struct MetricsTests {
    private func access(_ networks: String...) -> MetricsAccess { MetricsAccess(networks.compactMap { IPRange($0) }) }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.8.9.10", true), ("::1", true), ("192.0.2.7", false), ("10.0.0.1", false),
        ("fe80::1", false), ("unix", false), ("", false),
    ])
    func `this machine may read them, and nobody else`(address: String, isAllowed: Bool) {
        #expect(access().allows(address, HTTPFields()) == isAllowed)
    }

    @Test func `a network that the operator names may read them too`() {
        #expect(access("192.0.2.0/24").allows("192.0.2.7", HTTPFields()))
        #expect(!access("192.0.2.0/24").allows("192.0.3.7", HTTPFields()))
        #expect(access("192.0.2.0/24").allows("127.0.0.1", HTTPFields()))
    }

    @Test(arguments: ["x-forwarded-for", "forwarded"])
    func `whoever comes through a proxy may not, whatever it says`(name: String) {
        var fields = HTTPFields()
        fields.append(name: name, value: "127.0.0.1")
        #expect(!access("192.0.2.0/24").allows("127.0.0.1", fields))
        #expect(!access("192.0.2.0/24").allows("192.0.2.7", fields))
    }

    @Test func `others are told what the operator can do`() async throws {
        let refused = try await APIHarness().send("GET", "/metrics", as: Credential.none)
        #expect(refused.status == 403)
        #expect(refused.detail.contains("192.0.2.7"))
        #expect(refused.detail.contains("metrics_networks"))
    }

    @Test func `no credential is asked for, and none is looked at`() async throws {
        let harness = try await APIHarness()
        for credential in [Credential.none, .key("wrong"), .key(harness.home.apiKey)] {
            #expect(try await harness.send("GET", "/metrics", as: credential, from: "127.0.0.1").status == 200)
        }
    }

    @Test func `what is not served shares one place, whatever it is called`() async throws {
        let harness = try await APIHarness()
        for number in 0..<9 {
            _ = try await harness.send("GET", "/nothing/\(number)")
            _ = try await harness.send("BREW\(number)", "/api/v1/tunnels")
        }
        let text = try await harness.send("GET", "/metrics", as: Credential.none, from: "::1").text
        #expect(text.contains(#"culvert_api_requests_total{method="other",route="unmatched",status="404"} 9"#))
        #expect(text.contains(#"culvert_api_requests_total{method="other",route="unmatched",status="405"} 9"#))
        #expect(!text.contains("BREW") && !text.contains("nothing"))
    }

    @Test func `a limit that was met shows by its name`() async throws {
        let harness = try await APIHarness()
        for number in 0..<11 { _ = try await harness.send("POST", "/api/v1/tunnels", #"{"tunnel_name":"agent-\#(number)"}"#) }
        let text = try await harness.send("GET", "/metrics", as: Credential.none, from: "::1").text
        #expect(text.contains(#"culvert_api_rate_limited_total{limit="tunnel-creates"} 1"# + "\n"))
    }
}
