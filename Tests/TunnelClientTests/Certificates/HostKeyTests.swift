internal import Testing
internal import TunnelClient

struct HostKeyTests {
    @Test func `a key that was written and read again makes requests of the same key`() throws {
        let key = try HostKey()
        let again = try HostKey(pem: key.pem)
        #expect(try again.pem == key.pem)
        let request = try again.signingRequest(forHost: "my-agent.tunnels.example")
        #expect(request.hasPrefix("-----BEGIN CERTIFICATE REQUEST-----\n"))
        #expect(request.hasSuffix("-----END CERTIFICATE REQUEST-----\n"))
    }

    @Test func `a key never shows itself`() throws {
        let key = try HostKey()
        #expect("\(key)" == "private key")
        #expect(!String(reflecting: key).contains("BEGIN"))
    }

    @Test(arguments: ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "key"])
    func `what is no key is told`(text: String) {
        #expect(throws: HostKeyError.self) { try HostKey(pem: text) }
    }
}
