import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

struct SignCSRTests {
    private static let body = #"{"csr_pem":"-----BEGIN CERTIFICATE REQUEST-----"}"#

    private func certificate(from start: Timestamp, days: Int64 = 90) -> TunnelCertificate {
        TunnelCertificate(
            pem: "leaf\n", chainPEM: "chain\n", fingerprintSHA256: String(repeating: "ab", count: 32),
            validity: CertificateValidity(notBefore: start, notAfter: start + .days(days)))
    }

    @Test func `a first certificate activates the tunnel`() async throws {
        let start = ManualClock().now
        let issuer = MemoryIssuer(.success(certificate(from: start)))
        let harness = try await APIHarness(issuer: issuer)
        let id = try await harness.createTunnel("my-agent", tlsMode: .passthrough).id
        let reply = try await harness.send("POST", "/api/v1/tunnels/\(id)/sign-csr", Self.body)
        #expect(reply.status == 200)
        #expect(reply.json["cert_pem"] == .string("leaf\n"))
        #expect(reply.json["chain_pem"] == .string("chain\n"))
        #expect(reply.json["cert_fingerprint_sha256"] == .string(String(repeating: "ab", count: 32)))
        #expect(reply.json["cert_expires_at"] == .string((start + .days(90)).iso8601))
        #expect(issuer.requestedHosts == ["my-agent.localhost"])
        #expect(harness.events.changes == [.created, .certSigned])
        let tunnel = try await harness.send("GET", "/api/v1/tunnels/\(id)").json
        #expect(tunnel["status"] == .string("active"))
        #expect(tunnel["cert_pem"] == .string("leaf\n"))
    }

    @Test func `an edge tunnel is refused with the words that clients know`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let reply = try await harness.send("POST", "/api/v1/tunnels/\(id)/sign-csr", Self.body)
        #expect(reply.status == 409)
        #expect(reply.detail.contains("tls_mode"))
    }

    @Test func `without an issuer only a signable tunnel hears that there is none`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent", tlsMode: .passthrough).id
        let reply = try await harness.send("POST", "/api/v1/tunnels/\(id)/sign-csr", Self.body)
        #expect(reply.status == 501)
        #expect(reply.detail.contains("not configured"))
        _ = try await harness.send("DELETE", "/api/v1/tunnels/\(id)")
        #expect(try await harness.send("POST", "/api/v1/tunnels/\(id)/sign-csr", Self.body).status == 409)
        #expect(try await harness.send("POST", "/api/v1/tunnels/x/sign-csr", Self.body).status == 404)
        #expect(try await harness.send("POST", "/api/v1/tunnels/\(id)/sign-csr", "{}").status == 422)
    }

    @Test func `a bad request is 400, a failing issuer 503, and neither counts`() async throws {
        let issuer = MemoryIssuer(.failure(.unacceptableRequest("The key is weak.")))
        let harness = try await APIHarness(issuer: issuer)
        let id = try await harness.createTunnel("my-agent", tlsMode: .passthrough).id
        let path = "/api/v1/tunnels/\(id)/sign-csr"
        let bad = try await harness.send("POST", path, Self.body)
        #expect((bad.status, bad.detail) == (400, "The key is weak."))
        issuer.answer(.failure(.unavailable("it does not answer")))
        #expect(try await harness.send("POST", path, Self.body).status == 503)
        #expect(!harness.store.contents.successes.contains { $0.action == .certSign })
    }

    @Test func `a certificate that arrives after the tunnel was deleted is not put on file`() async throws {
        let issuer = MemoryIssuer(.success(certificate(from: ManualClock().now)))
        let harness = try await APIHarness(issuer: issuer)
        let id = try await harness.createTunnel("my-agent", tlsMode: .passthrough).id
        issuer.beforeAnswer { _ = try? await harness.send("DELETE", "/api/v1/tunnels/\(id)") }
        #expect(try await harness.send("POST", "/api/v1/tunnels/\(id)/sign-csr", Self.body).status == 409)
        #expect(try await harness.send("GET", "/api/v1/tunnels/\(id)").json["cert_pem"] == .null)
    }

    @Test(arguments: [(Int64(90), "active"), (1, "awaiting_cert")])
    func `a restored passthrough tunnel is active while its certificate is valid`(days: Int64, status: String) async throws {
        let issuer = MemoryIssuer(.success(certificate(from: ManualClock().now, days: days)))
        let harness = try await APIHarness(issuer: issuer)
        let id = try await harness.createTunnel("my-agent", tlsMode: .passthrough).id
        _ = try await harness.send("POST", "/api/v1/tunnels/\(id)/sign-csr", Self.body)
        harness.clock.advance(by: .hours(12))
        _ = try await harness.send("DELETE", "/api/v1/tunnels/\(id)")
        harness.clock.advance(by: .hours(13))
        let restored = try await harness.send("POST", "/api/v1/tunnels/\(id)/restore")
        #expect(restored.json["status"] == .string(status))
    }
}
