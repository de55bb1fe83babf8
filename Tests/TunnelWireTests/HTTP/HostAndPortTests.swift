import Testing

@testable import TunnelWire

struct HostAndPortTests {
    static let refused = [
        "", ":80", "a:", "a:0", "a:00", "a:080", "a:65536", "a:99999", "a:1a", "a:-1", "a:+1", "a:80:80", "a b", "a/b", "a?b",
        "a#b", "a@b", "u:p@a", "a,b", "a\\b", "a%41", "a*b", "(a)", "http://a", "a..b", ".a", "..", ".", "-a", "a-", "a-.b",
        "\u{e9}", "a\u{7f}", "\"a\"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.", "127.1", "0x7f.1", "a.0x7f",
        "2130706433",
        "a.1", "[", "]", "[]", "[::", "::1", "[::1", "[::1]x", "[::1]:", "[::1]:0", "[:::]", "[1::2::3]", "[1:2:3:4:5:6:7]",
        "[1:2:3:4:5:6:7:8:9]", "[12345::]", "[g::]", "[::1%eth0]", "[::1%25eth0]", "[v1.x]", "[1.2.3.4]", "[::1.2.3]", "[1:]",
        "[:1]",
        "[1:2:3:4:5:6:7::8]", "[::1.2.3.4:5]", String(repeating: "a", count: 64),
        String(repeating: "abcdefg.", count: 31) + "abcdef",
    ]

    @Test(
        arguments: [
            ("a", "a", nil, .name), ("My-Agent.Localhost:8443", "my-agent.localhost", 8443, .name), ("a.", "a", nil, .name),
            ("a.b.:1", "a.b", 1, .name), ("under_score", "under_score", nil, .name), ("1a.2b", "1a.2b", nil, .name),
            ("127.0.0.1", "127.0.0.1", nil, .ipv4), ("255.255.255.255:65535", "255.255.255.255", 65535, .ipv4),
            ("0.0.0.0:1", "0.0.0.0", 1, .ipv4), ("[::]", "::", nil, .ipv6), ("[::1]:80", "::1", 80, .ipv6),
            ("[2001:DB8::7]", "2001:db8::7", nil, .ipv6), ("[1:2:3:4:5:6:7:8]", "1:2:3:4:5:6:7:8", nil, .ipv6),
            ("[1:2:3:4:5:6:7::]", "1:2:3:4:5:6:7::", nil, .ipv6), ("[::ffff:1.2.3.4]", "::ffff:1.2.3.4", nil, .ipv6),
            ("[1:2:3:4:5:6:1.2.3.4]", "1:2:3:4:5:6:1.2.3.4", nil, .ipv6), ("a1.b-c.d", "a1.b-c.d", nil, .name),
            (String(repeating: "a", count: 63), String(repeating: "a", count: 63), nil, .name),
        ] as [(String, String, UInt16?, HostAndPort.Kind)])
    func `a host is read into its parts`(text: String, host: String, port: UInt16?, kind: HostAndPort.Kind) throws {
        let parsed = try HostAndPort(parsing: text)
        #expect(parsed.host == host)
        #expect(parsed.port == port)
        #expect(parsed.kind == kind)
        #expect(try HostAndPort(parsing: parsed.description) == parsed)
    }

    @Test(arguments: refused)
    func `what is no host is refused`(text: String) {
        let bytes = text.unicodeScalars.map { UInt8($0.value) }
        #expect(throws: HTTP1Error.malformedHost) { try HostAndPort(parsing: bytes.span) }
    }

    @Test func `the longest name has 253 bytes`() throws {
        let name = String(repeating: "abcdefg.", count: 31) + "abcde"
        #expect(name.utf8.count == 253)
        #expect(try HostAndPort(parsing: name + ".:65535").host == name)
        #expect(throws: HTTP1Error.malformedHost) { try HostAndPort(parsing: name + "f") }
    }
}
