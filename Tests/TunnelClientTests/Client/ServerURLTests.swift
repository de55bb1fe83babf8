internal import Testing
internal import TunnelClient

struct ServerURLTests {
    @Test(arguments: [
        ("https://tunnels.example", "https://tunnels.example", 443),
        ("https://Tunnels.Example/", "https://tunnels.example", 443),
        ("HTTPS://tunnels.example:443", "https://tunnels.example", 443),
        ("https://tunnels.example:8443/api/v1/", "https://tunnels.example:8443", 8443),
        ("https://tunnels.example/base/api/v1", "https://tunnels.example/base", 443),
        ("https://[2001:DB8::7]:65535", "https://[2001:db8::7]:65535", 65535),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", 8080),
        ("http://localhost", "http://localhost", 80),
        ("http://api.localhost:1", "http://api.localhost:1", 1),
        ("http://[::1]:8080", "http://[::1]:8080", 8080),
    ])
    func `a server URL is read as people type it`(text: String, canonical: String, port: Int) throws {
        let url = try ServerURL(validating: text)
        #expect(url.description == canonical)
        #expect(url.port == port)
        #expect(try ServerURL(validating: url.description) == url)
    }

    @Test(
        arguments: [
            ("", .empty),
            ("tunnels.example", .missingScheme("tunnels.example")),
            ("ftp://tunnels.example", .unknownScheme("ftp")),
            ("https://", .illegalHost("")),
            ("https://a..b", .illegalHost("a..b")),
            ("https://-a.example", .illegalHost("-a.example")),
            ("https://a_b.example", .illegalHost("a_b.example")),
            ("https://a b", .illegalHost("a b")),
            ("https://[::1", .illegalHost("[::1")),
            ("https://[nonsense]", .illegalHost("nonsense")),
            ("https://a.example:0", .illegalPort("0")),
            ("https://a.example:65536", .illegalPort("65536")),
            ("https://a.example:", .illegalPort("")),
            ("https://a.example:+1", .illegalPort("+1")),
            ("https://user:pass@a.example", .carriesCredential),
            ("https://a.example/?key=1", .carriesQuery),
            ("https://a.example/#x", .carriesQuery),
            ("http://tunnels.example", .plainTextToRemoteHost("tunnels.example")),
            ("http://127.0.0.1.example", .plainTextToRemoteHost("127.0.0.1.example")),
            ("http://localhost.example", .plainTextToRemoteHost("localhost.example")),
        ] as [(String, ServerURLError)])
    func `a bad server URL says what is bad`(text: String, error: ServerURLError) {
        #expect(throws: error) { try ServerURL(validating: text) }
        #expect(error.description.contains(" "))
    }
}
