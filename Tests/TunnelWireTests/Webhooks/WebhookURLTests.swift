import Testing
import TunnelWire

struct WebhookURLTests {
    @Test(
        arguments: [
            ("https://example.com", true, "example.com", 443, "/"),
            ("https://Example.COM/a/b?c=d&e=%20", true, "example.com", 443, "/a/b?c=d&e=%20"),
            ("HTTPS://example.com:8443?x", true, "example.com", 8_443, "/?x"),
            ("http://192.0.2.1:80/", false, "192.0.2.1", 80, "/"),
            ("http://[2001:DB8::1]/x", false, "2001:db8::1", 80, "/x"),
            ("https://[::1]:65535", true, "::1", 65_535, "/"),
            ("https://a_b.example-x.test./@", true, "a_b.example-x.test.", 443, "/@"),
        ] as [(String, Bool, String, UInt16, String)])
    func `a URL is taken apart`(text: String, isTLS: Bool, host: String, port: UInt16, target: String) throws {
        let url = try WebhookURL(parsing: text)
        #expect((url.isTLS, url.host, url.port, url.target, url.text) == (isTLS, host, port, target, text))
    }

    @Test(
        arguments: [
            ("https://Example.com:443/a", "https://example.com"), ("http://example.com:443", "http://example.com:443"),
            ("http://127.0.0.1:9000/a?b", "http://127.0.0.1:9000"), ("https://[::1]/", "https://[::1]"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] as [(String, String)])
    func `the port is told where the scheme does not imply it`(text: String, origin: String) throws {
        #expect(try WebhookURL(parsing: text).origin == origin)
    }

    @Test(
        arguments: [
            ("", .unknownScheme), ("example.com", .unknownScheme), ("ftp://example.com", .unknownScheme),
            ("file:///etc/passwd", .unknownScheme), ("https:/example.com", .unknownScheme), ("://example.com", .unknownScheme),
            ("https://", .missingHost), ("https:///x", .missingHost), ("https://:443/", .missingHost),
            ("https://user:secret@example.com/", .hasUserInfo), ("https://@example.com/", .hasUserInfo),
            ("https://example.com#@internal/", .hasFragment), ("https://example.com/#x", .hasFragment),
            ("https://exa mple.com/", .illegalCharacter), ("https://example.com/\r\nHost: x", .illegalCharacter),
            ("https://example.com/\u{0}", .illegalCharacter), ("https://exämple.com/", .illegalCharacter),
            ("https://example.com\\@internal/", .illegalCharacter), ("https://exa%6dple.com/", .illegalHost),
            ("https://a,b/", .illegalHost), ("https://[::1/", .illegalHost), ("https://[example.com]/", .illegalHost),
            ("https://[::1]x/", .illegalHost), ("https://[fe80::1%25eth0]/", .illegalHost),
            ("https://example.com:/", .illegalPort), ("https://example.com:0/", .illegalPort),
            ("https://example.com:65536/", .illegalPort), ("https://example.com:+1/", .illegalPort),
            ("https://example.com:80:80/", .illegalPort), ("https://::1/", .missingHost),
            ("https://2001:db8::1/", .illegalPort),
        ] as [(String, WebhookURL.Flaw)])
    func `what is no URL for a webhook is refused with the reason`(text: String, flaw: WebhookURL.Flaw) {
        #expect(throws: flaw) { try WebhookURL(parsing: text) }
    }

    @Test func `the longest URL fits and one character more does not`() throws {
        let start = "https://example.com/"
        let text = start + String(repeating: "a", count: WebhookURL.characterCountMax - start.count)
        #expect(try WebhookURL(parsing: text).target.count == WebhookURL.characterCountMax - start.count + 1)
        #expect(throws: WebhookURL.Flaw.tooLong) { try WebhookURL(parsing: text + "a") }
    }
}
