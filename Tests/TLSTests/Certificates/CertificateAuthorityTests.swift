import TLS
import Testing
import TunnelDomain

@Suite struct CertificateAuthorityTests {
    // 2026-11-21 00:00:00 UTC
    let now = Timestamp(secondsSinceEpoch: 1_795_219_200)

    private func verify(_ issued: SignedCertificate, authority: CertificateAuthority, host: String) throws -> String {
        try OpenSSLCommand.run(
            [
                "verify", "-x509_strict", "-attime", "\(now.secondsSinceEpoch)", "-CAfile", "ca.pem", "-purpose", "sslserver",
                "-verify_hostname", host, "leaf.pem",
            ], files: ["ca.pem": authority.certificatePEM, "leaf.pem": issued.certificatePEM])
    }

    @Test func `OpenSSL trusts what the authority issues, for its hosts only`() throws {
        let authority = try CertificateAuthority.make(zone: "tunnels.example.com", at: now)
        let issued = try authority.issueServerCertificate(hosts: ["tunnels.example.com", "*.tunnels.example.com"], at: now)
        #expect(try verify(issued, authority: authority, host: "tunnels.example.com").contains("OK"))
        #expect(try verify(issued, authority: authority, host: "my-agent.tunnels.example.com").contains("OK"))
        #expect(throws: OpenSSLCommand.Failure.self) { try verify(issued, authority: authority, host: "example.com") }
        #expect(throws: OpenSSLCommand.Failure.self) {
            try verify(issued, authority: authority, host: "a.b.tunnels.example.com")
        }
    }

    @Test func `a host under localhost is trusted by its own certificate`() throws {
        let authority = try CertificateAuthority.make(zone: "localhost", at: now)
        let issued = try authority.issueServerCertificate(hosts: ["my-agent.localhost"], at: now)
        #expect(try verify(issued, authority: authority, host: "my-agent.localhost").contains("OK"))
    }

    @Test func `a name outside the authority's zone is not trusted even when it is signed`() throws {
        let authority = try CertificateAuthority.make(zone: "localhost", at: now)
        let issued = try authority.issueServerCertificate(hosts: ["bank.example.com"], at: now)
        #expect(throws: OpenSSLCommand.Failure.self) { try verify(issued, authority: authority, host: "bank.example.com") }
    }

    @Test func `the longest host fits although no common name can hold it`() throws {
        let authority = try CertificateAuthority.make(zone: "tunnels.example.com", at: now)
        let host = String(repeating: "a", count: 63) + ".tunnels.example.com"
        let issued = try authority.issueServerCertificate(hosts: [host], at: now)
        #expect(try verify(issued, authority: authority, host: host).contains("OK"))
    }

    @Test func `the validity is 90 days from five minutes ago, and ends with the authority`() throws {
        let authority = try CertificateAuthority.make(zone: "localhost", days: 120, at: now)
        let first = try authority.issueServerCertificate(hosts: ["localhost"], at: now + .seconds(1_000))
        #expect(first.notBefore == now + .seconds(700))
        #expect(first.notAfter == now + .seconds(1_000) + .days(90))

        let atStart = try authority.issueServerCertificate(hosts: ["localhost"], at: now - .seconds(200))
        #expect(atStart.notBefore == now - .seconds(300))

        let late = try authority.issueServerCertificate(hosts: ["localhost"], at: now + .days(100))
        #expect(late.notAfter == now + .days(120))

        let end = now + .days(120)
        #expect(throws: CertificateAuthority.Failure.expired(at: end)) {
            try authority.issueServerCertificate(hosts: ["localhost"], at: end)
        }
    }

    @Test func `an authority is the same after being written and read, with and without a passphrase`() throws {
        let authority = try CertificateAuthority.make(zone: "localhost", at: now)
        for passphrase in ["", "correct horse"] {
            let keyPEM = try authority.keyPEM(passphrase: passphrase)
            #expect(keyPEM.contains("ENCRYPTED") == !passphrase.isEmpty)
            let read = try CertificateAuthority(
                certificatePEM: authority.certificatePEM, keyPEM: keyPEM, passphrase: passphrase)
            let issued = try read.issueServerCertificate(hosts: ["a-b.localhost"], at: now)
            #expect(try verify(issued, authority: authority, host: "a-b.localhost").contains("OK"))
        }
    }

    @Test func `files that are no authority are refused with the reason`() throws {
        let authority = try CertificateAuthority.make(zone: "localhost", at: now)
        let keyPEM = try authority.keyPEM()
        let leaf = try authority.issueServerCertificate(hosts: ["localhost"], at: now)
        let other = try CertificateAuthority.make(zone: "localhost", at: now)

        #expect(throws: Certificate.ReadError.notACertificate) {
            try CertificateAuthority(certificatePEM: "hello", keyPEM: keyPEM)
        }
        #expect(throws: PrivateKey.ReadError.notAKey) {
            try CertificateAuthority(certificatePEM: authority.certificatePEM, keyPEM: "hello")
        }
        #expect(throws: PrivateKey.ReadError.wrongPassphrase) {
            try CertificateAuthority(
                certificatePEM: authority.certificatePEM, keyPEM: authority.keyPEM(passphrase: "one"), passphrase: "two")
        }
        #expect(throws: PrivateKey.ReadError.wrongPassphrase) {
            try CertificateAuthority(certificatePEM: authority.certificatePEM, keyPEM: authority.keyPEM(passphrase: "one"))
        }
        #expect(throws: CertificateAuthority.Failure.keyOfAnotherCertificate) {
            try CertificateAuthority(certificatePEM: other.certificatePEM, keyPEM: keyPEM)
        }
        #expect(throws: CertificateAuthority.Failure.notAnAuthority) {
            try CertificateAuthority(certificatePEM: leaf.certificatePEM, keyPEM: #require(leaf.keyPEM))
        }
    }

    @Test(arguments: ["", "a b.localhost", "a,DNS:evil.example", "*", "a..b", "*.*.localhost", "a.*", "ä.localhost", "a\0b"])
    func `a host that is none is not signed`(host: String) throws {
        let authority = try CertificateAuthority.make(zone: "localhost", at: now)
        #expect(throws: CertificateAuthority.Failure.badHost(host)) {
            try authority.issueServerCertificate(hosts: [host], at: now)
        }
    }

    @Test func `no host is no certificate`() throws {
        let authority = try CertificateAuthority.make(zone: "localhost", at: now)
        #expect(throws: CertificateAuthority.Failure.noHosts) { try authority.issueServerCertificate(hosts: [], at: now) }
    }

    @Test func `certificates read back what was written`() throws {
        let authority = try CertificateAuthority.make(zone: "localhost", at: now)
        let issued = try authority.issueServerCertificate(hosts: ["a-b.localhost", "localhost"], at: now)
        let read = try Certificate(pem: issued.certificatePEM)
        #expect(read.hosts() == ["a-b.localhost", "localhost"])
        #expect(try read.notAfter() == issued.notAfter)
        #expect(!read.isAuthority)
        #expect(authority.certificate.isAuthority)
        let text = try OpenSSLCommand.run(
            ["x509", "-in", "leaf.pem", "-noout", "-fingerprint", "-sha256", "-serial"],
            files: ["leaf.pem": issued.certificatePEM])
        #expect(text.replacing(":", with: "").lowercased().contains(issued.fingerprint))
        #expect(text.contains("serial=\(try read.serialNumber())"))
        #expect(issued.certificatePEM.hasSuffix("-----\n") && issued.chainPEM.hasSuffix("-----\n"))
    }

    @Test func `no serial number is given twice`() throws {
        let authority = try CertificateAuthority.make(zone: "localhost", at: now)
        let serials = try (0..<50).map { _ in
            try Certificate(pem: authority.issueServerCertificate(hosts: ["localhost"], at: now).certificatePEM).serialNumber()
        }
        #expect(Set(serials).count == 50)
        #expect(serials.allSatisfy { $0.count == 32 && !$0.hasPrefix("-") })
    }
}
