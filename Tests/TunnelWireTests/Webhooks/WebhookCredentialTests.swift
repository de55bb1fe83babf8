import TLS
import Testing
import TunnelDomain

@testable import TunnelWire

struct WebhookCredentialTests {
    private func verdict(
        _ scheme: WebhookScheme, _ fields: [WebhookField] = [], address: String = "192.0.2.7", subject: String? = nil
    ) -> WebhookVerdict {
        let request = WebhookRequest(
            method: "POST", target: "/", origin: "https://h.example", fields: fields, body: [], address: address,
            certificateSubject: subject, receivedAt: Timestamp(secondsSinceEpoch: 0))
        return WebhookVerifier(scheme, cryptography: OpenSSLWebhookCryptography()).verdict(on: request)
    }

    @Test(
        arguments: [
            ("Bearer s3cret", nil), ("bearer s3cret", nil), ("Bearer s3cre", .wrongCredential),
            ("Bearer s3cret2", .wrongCredential),
            ("Basic s3cret", .missingCredential), ("Bearer", .missingCredential), ("", .missingCredential),
        ] as [(String, WebhookRefusal?)])
    func `a bearer token is compared whole`(value: String, refusal: WebhookRefusal?) {
        #expect(
            verdict(.bearer(tokens: [Array("s3cret".utf8)]), [WebhookField("authorization", value)]).refusal == refusal)
    }

    @Test(
        arguments: [
            ("Basic YTpi", nil), ("Basic YTpj", .wrongCredential), ("Basic !", .wrongCredential),
            ("Bearer YTpi", .missingCredential),
        ] as [(String, WebhookRefusal?)])
    func `user and password are compared as one`(value: String, refusal: WebhookRefusal?) {
        #expect(
            verdict(.basic(credentials: [Array("a:b".utf8)]), [WebhookField("authorization", value)]).refusal == refusal)
    }

    @Test func `a client certificate must have one of the subjects`() {
        let scheme = WebhookScheme.certificateSubject(["CN=sender,O=Example"])
        #expect(verdict(scheme).refusal == .noClientCertificate)
        #expect(verdict(scheme, subject: "CN=sender").refusal == .wrongSubject)
        #expect(verdict(scheme, subject: "CN=sender,O=Example").isGenuine)
    }

    @Test(arguments: [
        ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false), ("192.0.2.7", "192.0.2.7", true),
        ("0.0.0.0/0", "203.0.113.1", true), ("0.0.0.0/0", "2001:db8::1", false), ("192.0.2.0/24", "::ffff:192.0.2.9", true),
        ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
        ("::1", "0:0:0:0:0:0:0:1", true), ("192.0.2.0/31", "192.0.2.2", false), ("192.0.2.0/24", "unix", false),
    ])
    func `a range holds its addresses in every spelling`(range: String, address: String, isInside: Bool) throws {
        let range = try #require(IPRange(range))
        #expect(range.contains(address) == isInside)
        #expect(verdict(.addresses([range]), address: address).isGenuine == isInside)
    }

    @Test(arguments: ["192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/-1", "example", "", "192.0.2.0/", "::1/129", "1.2.3/8"])
    func `what is no range is none`(text: String) { #expect(IPRange(text) == nil) }

    @Test func `all parts must hold`() throws {
        let range = try #require(IPRange("192.0.2.0/24"))
        let scheme = WebhookScheme.all([.addresses([range]), .gitlab(tokens: [Array("word".utf8)])])
        let field = WebhookField("x-gitlab-token", "word")
        #expect(verdict(scheme, [field]).isGenuine)
        #expect(verdict(scheme, [field], address: "198.51.100.1").refusal == .foreignAddress)
        #expect(verdict(scheme).refusal == .missingCredential)
        #expect(scheme.name == "addresses+gitlab")
        #expect(scheme.deliveryID == .field("idempotency-key"))
    }

    @Test func `Slack's challenge and Discord's PING are answered, other events are not`() {
        let request = WebhookVector.all[0].request
        let challenge = JSONValue.members(["type": .string("url_verification"), "challenge": .string("c0de")])
        let ping = JSONValue.members(["type": .number("1")])
        #expect(WebhookHandshake.answer(to: request, by: .slack(secrets: []), json: challenge)?.body == Array("c0de".utf8))
        #expect(WebhookHandshake.answer(to: request, by: .slack(secrets: []), json: ping) == nil)
        #expect(
            WebhookHandshake.answer(to: request, by: .discord(publicKeys: []), json: ping)?.body == Array(#"{"type":1}"#.utf8))
        #expect(WebhookHandshake.answer(to: request, by: .github(secrets: []), json: challenge) == nil)
        #expect(WebhookHandshake.answer(to: request, by: .slack(secrets: []), json: nil) == nil)
    }

    @Test(
        arguments: [
            ("{body", .unclosedPlace), ("{what}.{body}", .unknownPlace("what")), ("{timestamp}", .bodyMissing),
            ("{header:}{body}", .unknownPlace("header:")),
        ] as [(String, SignatureTemplate.Flaw)])
    func `a template says what is wrong with it`(text: String, flaw: SignatureTemplate.Flaw) {
        #expect(throws: flaw) { try SignatureTemplate(parsing: text) }
    }

    @Test(
        arguments: [
            ("/a/b", ["a", "b"]), ("", []), ("/", [""]), ("/a~1b/~0", ["a/b", "~"]), ("a", nil), ("/~2", nil), ("/~", nil),
        ] as [(String, [String]?)])
    func `pointers are RFC 6901's`(text: String, tokens: [String]?) {
        #expect(JSONPointer(text)?.tokens == tokens)
        if let pointer = JSONPointer(text) { #expect(pointer.description == text) }
    }

    @Test func `a pointer finds members and elements, and nothing else`() throws {
        let value = try JSONValue(parsing: Array(#"{"a":[{"b":1.50},"x"],"":true}"#.utf8))
        func at(_ text: String) throws -> JSONValue? { value.value(at: try #require(JSONPointer(text))) }
        #expect(try at("/a/0/b") == .number("1.50"))
        #expect(try at("/") == .bool(true))
        #expect(try at("/a/01") == nil)
        #expect(try at("/a/-") == nil)
        #expect(try at("/a/2") == nil)
        #expect(try at("/a/1/x") == nil)
        #expect(try at("/a/1")?.plainText == "x")
        #expect(try at("/a/0")?.plainText == #"{"b":1.50}"#)
    }
}
