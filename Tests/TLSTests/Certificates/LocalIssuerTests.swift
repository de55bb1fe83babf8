import TLS
import Testing
import TunnelDomain
import TunnelService

@Suite struct LocalIssuerTests {
    private let now = Timestamp(secondsSinceEpoch: 1_795_219_200)
    private let host: PublicHost
    private let authority: CertificateAuthority

    init() throws {
        host = PublicHost(name: try TunnelName(validating: "my-agent"), zone: try Zone(validating: "example.com"))
        authority = try CertificateAuthority.make(zone: "example.com", at: now)
    }

    private func issue(_ csrPEM: String, at moment: Timestamp) async throws -> TunnelCertificate {
        try await LocalIssuer(authority: authority).issue(csrPEM: csrPEM, for: host, at: moment)
    }

    @Test func `a sound request becomes a certificate that verifies`() async throws {
        let issued = try await issue(OpenSSLCommand.request(), at: now)
        #expect(issued.validity.notAfter == now + .days(90))
        #expect(try Certificate(pem: issued.pem).fingerprint() == issued.fingerprintSHA256)
        let verdict = try OpenSSLCommand.run(
            [
                "verify", "-x509_strict", "-attime", "\(now.secondsSinceEpoch)", "-CAfile", "ca.pem", "-verify_hostname",
                host.text, "leaf.pem",
            ], files: ["ca.pem": issued.chainPEM, "leaf.pem": issued.pem])
        #expect(verdict.contains("OK"))
    }

    @Test(
        arguments: [
            (["rsa:1024"], "/CN=my-agent.example.com", ["subjectAltName=DNS:my-agent.example.com"], "1024 bits"),
            (["ed25519"], "/CN=other.example.com", ["subjectAltName=DNS:my-agent.example.com"], "other.example.com"),
            (["ed25519"], "/O=x", ["subjectAltName=DNS:*.example.com"], "wildcard"),
            (["ed25519"], "/O=x", ["subjectAltName=DNS:my-agent.example.com,IP:127.0.0.1"], "127.0.0.1"),
            (["ed25519"], "/O=x", [], "names no host"),
            (["ed25519"], "/CN=my-agent.example.com", ["basicConstraints=CA:TRUE"], "authority"),
        ] as [([String], String, [String], String)])
    func `a request that breaks the policy is refused with the reason`(
        newKey: [String], subject: String, extensions: [String], part: String
    ) async throws {
        let pem = try OpenSSLCommand.request(newKey: newKey, subject: subject, extensions: extensions)
        let error = await #expect(throws: CertificateIssuerError.self) { try await issue(pem, at: now) }
        guard case .unacceptableRequest(let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains(part), "\(reason)")
    }

    @Test func `no request, two requests and too long a text are refused, an ended authority is unavailable`() async throws {
        let pem = try OpenSSLCommand.request()
        for text in ["", "hello", pem + pem, String(repeating: "x", count: SigningPolicy.requestByteCountMax + 1)] {
            let error = await #expect(throws: CertificateIssuerError.self) { try await issue(text, at: now) }
            if case .unacceptableRequest? = error { continue }
            Issue.record("\(String(describing: error))")
        }
        let late = await #expect(throws: CertificateIssuerError.self) { try await issue(pem, at: now + .days(4_000)) }
        guard case .unavailable? = late else {
            Issue.record("\(String(describing: late))")
            return
        }
    }
}
