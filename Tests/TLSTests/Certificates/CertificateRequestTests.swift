import TLS
import Testing
import TunnelDomain

@Suite struct CertificateRequestTests {
    @Test(
        arguments: [
            (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], .p256),
            (["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], .p384),
            (["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], .other("EC secp256k1")),
            (
                ["ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"],
                .other("EC with explicit parameters")
            ),
            (["rsa:1024"], .rsa(bitCount: 1_024)),
            (["rsa:2048"], .rsa(bitCount: 2_048)),
            (["ed25519"], .ed25519),
        ] as [([String], SigningRequest.Key)])
    func `the kind of key is told`(newKey: [String], key: SigningRequest.Key) throws {
        let request = try CertificateRequest(pem: OpenSSLCommand.request(newKey: newKey)).facts
        #expect(request.key == key)
        #expect(request.isSignatureValid)
        #expect(request.signatureHash == (key == .ed25519 ? .intrinsic : .sha256))
        #expect(request.alternativeNames == [.dns("my-agent.example.com")])
        #expect(request.blockCount == 1)
        #expect(request.commonNames == ["my-agent.example.com"])
    }

    @Test func `a weak digest is told`() throws {
        let request = try CertificateRequest(pem: OpenSSLCommand.request(digest: "-sha1")).facts
        #expect(request.signatureHash == .other("SHA1"))
    }

    @Test func `a broken self-signature is told`() throws {
        let pem = try OpenSSLCommand.request()
        // The signature ends the request: another first letter in the last line breaks it and leaves the rest readable.
        var lines = pem.split(separator: "\n").map(String.init)
        let last = lines.count - 2
        lines[last] = (lines[last].hasPrefix("A") ? "B" : "A") + lines[last].dropFirst()
        let request = try CertificateRequest(pem: lines.joined(separator: "\n") + "\n").facts
        #expect(!request.isSignatureValid)
        #expect(request.commonNames == ["my-agent.example.com"])
    }

    @Test(
        arguments: [
            (["subjectAltName=DNS:a.example.com"], false), (["basicConstraints=critical,CA:TRUE"], true),
            (["basicConstraints=CA:FALSE"], false), ([], false), (["keyUsage=digitalSignature"], false),
            (["keyUsage=digitalSignature,keyCertSign"], true),
        ] as [([String], Bool)])
    func `asking to be an authority is told`(extensions: [String], asks: Bool) throws {
        let request = try CertificateRequest(pem: OpenSSLCommand.request(extensions: extensions)).facts
        #expect(request.asksForCA == asks)
    }

    @Test(arguments: [
        "", "hello", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        "-----BEGIN CERTIFICATE REQUEST-----\n",
    ])
    func `text that is no request is refused`(text: String) {
        #expect(throws: CertificateRequest.ReadError.notARequest) { try CertificateRequest(pem: text) }
    }

    @Test func `a second block is counted and a megabyte is not read`() throws {
        let pem = try OpenSSLCommand.request()
        #expect(try CertificateRequest(pem: pem + pem).facts.blockCount == 2)
        let room = SigningPolicy.requestByteCountMax - pem.utf8.count
        let filler = String(repeating: "\n", count: room)
        #expect(throws: Never.self) { try CertificateRequest(pem: pem + filler) }
        #expect(throws: CertificateRequest.ReadError.tooLong(byteCount: SigningPolicy.requestByteCountMax + 1)) {
            try CertificateRequest(pem: pem + filler + "\n")
        }
    }

    @Test func `every kind of name is told`() throws {
        let names = "subjectAltName=DNS:a.example.com,IP:192.0.2.7,URI:https://a.example.com,email:a@example.com,RID:1.2.3"
        let request = try CertificateRequest(pem: OpenSSLCommand.request(subject: "/CN=one/CN=two", extensions: [names])).facts
        #expect(request.commonNames == ["one", "two"])
        #expect(
            request.alternativeNames == [
                .dns("a.example.com"), .ipAddress("192.0.2.7"), .uri("https://a.example.com"), .email("a@example.com"),
                .other("directory or other name"),
            ])
    }

    @Test func `a signed request serves the host it was signed for, whatever it asked`() throws {
        let now = Timestamp(secondsSinceEpoch: 1_795_219_200)
        let authority = try CertificateAuthority.make(zone: "example.com", at: now)
        let request = try CertificateRequest(pem: OpenSSLCommand.request(extensions: ["subjectAltName=DNS:evil.example.com"]))
        let issued = try authority.signRequest(request, hosts: ["my-agent.example.com"], at: now)
        #expect(issued.keyPEM == nil)
        #expect(try Certificate(pem: issued.certificatePEM).hosts() == ["my-agent.example.com"])
        #expect(try Certificate(pem: issued.certificatePEM).notAfter() == now + .days(90))
    }
}

@Suite struct CertificateRequestMakingTests {
    @Test func `a request that is made here is one that is signed`() throws {
        let pem = try CertificateRequest.pem(forHost: "my-agent.example.com", key: PrivateKey())
        let request = try CertificateRequest(pem: pem).facts
        #expect(request.key == .p256)
        #expect(request.isSignatureValid)
        #expect(request.alternativeNames == [.dns("my-agent.example.com")])
        #expect(request.commonNames.isEmpty)
        #expect(!request.asksForCA)
        #expect(request.blockCount == 1)
    }

    @Test func `another tool reads it too`() throws {
        let pem = try CertificateRequest.pem(forHost: "my-agent.example.com", key: PrivateKey())
        let said = try OpenSSLCommand.run(
            ["req", "-in", "request.pem", "-noout", "-verify", "-text"], files: ["request.pem": pem])
        #expect(said.contains("DNS:my-agent.example.com"))
        #expect(said.contains("X509v3 Subject Alternative Name: critical"))
    }
}
