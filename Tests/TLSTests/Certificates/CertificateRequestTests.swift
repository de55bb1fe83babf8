import TLS
import Testing
import TunnelDomain

@Suite struct CertificateRequestTests {
    @Test(
        arguments: [
            (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], .ellipticCurve(name: "prime256v1")),
            (["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], .ellipticCurve(name: "secp384r1")),
            (["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], .ellipticCurve(name: "secp256k1")),
            (["ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"], .ellipticCurve(name: "")),
            (["rsa:1024"], .rsa(bits: 1_024)),
            (["rsa:2048"], .rsa(bits: 2_048)),
            (["ed25519"], .ed25519),
        ] as [([String], CertificateRequest.Key)])
    func `the kind of key is told`(newKey: [String], key: CertificateRequest.Key) throws {
        let request = try CertificateRequest(pem: OpenSSLCommand.request(newKey: newKey))
        #expect(request.key == key)
        #expect(request.isSelfSigned)
        #expect(request.digest == (key == .ed25519 ? .builtIn : .sha2OrBetter))
        #expect(request.commonNames == ["my-agent.example.com"])
    }

    @Test func `a weak digest is told`() throws {
        let request = try CertificateRequest(pem: OpenSSLCommand.request(digest: "-sha1"))
        #expect(request.digest == .weak)
    }

    @Test func `a broken self-signature is told`() throws {
        let pem = try OpenSSLCommand.request()
        // The signature ends the request: another first letter in the last line breaks it and leaves the rest readable.
        var lines = pem.split(separator: "\n").map(String.init)
        let last = lines.count - 2
        lines[last] = (lines[last].hasPrefix("A") ? "B" : "A") + lines[last].dropFirst()
        let request = try CertificateRequest(pem: lines.joined(separator: "\n") + "\n")
        #expect(!request.isSelfSigned)
        #expect(request.commonNames == ["my-agent.example.com"])
    }

    @Test(
        arguments: [
            (["subjectAltName=DNS:a.example.com"], false), (["basicConstraints=critical,CA:TRUE"], true),
            (["basicConstraints=CA:FALSE"], false), ([], false),
        ] as [([String], Bool)])
    func `asking to be an authority is told`(extensions: [String], asks: Bool) throws {
        let request = try CertificateRequest(pem: OpenSSLCommand.request(extensions: extensions))
        #expect(request.asksToBeAuthority == asks)
    }

    @Test(arguments: [
        "", "hello", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        "-----BEGIN CERTIFICATE REQUEST-----\n",
    ])
    func `text that is no request is refused`(text: String) {
        #expect(throws: CertificateRequest.ReadError.notARequest) { try CertificateRequest(pem: text) }
    }

    @Test func `a second block and a megabyte are refused`() throws {
        let pem = try OpenSSLCommand.request()
        #expect(throws: CertificateRequest.ReadError.severalBlocks) { try CertificateRequest(pem: pem + pem) }
        let room = CertificateRequest.pemByteCountMax - pem.utf8.count
        let filler = String(repeating: "\n", count: room)
        #expect(throws: Never.self) { try CertificateRequest(pem: pem + filler) }
        #expect(throws: CertificateRequest.ReadError.tooLong(byteCount: CertificateRequest.pemByteCountMax + 1)) {
            try CertificateRequest(pem: pem + filler + "\n")
        }
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
