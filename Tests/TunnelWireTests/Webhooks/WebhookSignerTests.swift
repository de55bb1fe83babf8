import TLS
import TestSupport
import Testing
import TunnelDomain

@testable import TunnelWire

struct WebhookSignerTests {
    static let seed = [UInt8](0..<32)
    // The public key that belongs to the seed, by PyNaCl 1.6.2.
    static let publicKey = WebhookVector.all.first { $0.scheme == "discord" }?.key ?? []
    static let schemes: [WebhookScheme] = [
        .standardWebhooks(sharedKeys: [[1, 2, 3]], publicKeys: []), .standardWebhooks(sharedKeys: [], publicKeys: [publicKey]),
        .svix(sharedKeys: [[4]], publicKeys: []), .github(secrets: [[5]]), .stripe(secrets: [[6]]), .slack(secrets: [[7]]),
        .inkbox(secrets: [[8]]), .shopify(secrets: [[9]]), .gitlab(tokens: [Array("word".utf8)]), .twilio(secrets: [[10]]),
        .discord(publicKeys: [publicKey]), .bearer(tokens: [Array("t0ken".utf8)]), .basic(credentials: [Array("a:b".utf8)]),
        .hmac(HMACSignature(hash: .sha1, encoding: .base64, field: "x-sig"), secrets: [[11]]),
        .hmac(
            HMACSignature(
                hash: .sha512, encoding: .hex, field: "x-sig", prefix: "v=",
                template: (try? SignatureTemplate(parsing: "{method}|{path}|{url}|{timestamp}|{body}")) ?? .body,
                timestampField: "x-at"), secrets: [[12]]),
    ]

    @Test(arguments: schemes)
    func `what is signed for a scheme verifies, and not after one flipped bit of the body`(scheme: WebhookScheme) throws {
        let cryptography = OpenSSLWebhookCryptography()
        let verifier = WebhookVerifier(scheme, cryptography: cryptography)
        let signer = WebhookSigner(cryptography: cryptography)
        try checkProperty(cases: 200) { sample in
            var request = WebhookRequest(
                method: "POST", target: "/in?x=1", origin: "https://hooks.example",
                fields: [WebhookField("content-type", "application/x-www-form-urlencoded")],
                body: Array("a=".utf8) + sample.list(upTo: 40) { UInt8($0.int(in: 0x61...0x7A)) }, address: "127.0.0.1",
                receivedAt: Timestamp(secondsSinceEpoch: sample.int64(in: 0...4_000_000_000)))
            let seed: [UInt8]? = Self.signsPrivately(scheme) ? Self.seed : nil
            request.fields += try signer.fields(for: request, by: scheme, id: "id-1", seed: seed)
            guard verifier.verdict(on: request).isGenuine else {
                throw WebhookVerifierTests.Broken("what was signed is refused")
            }
            guard Self.coversBody(scheme) else { return }
            request.body[sample.int(in: 0...request.body.count - 1)] ^= 1 << UInt8(sample.int(in: 0...4))
            guard !verifier.verdict(on: request).isGenuine else { throw WebhookVerifierTests.Broken("a changed body is taken") }
        }
    }

    static func signsPrivately(_ scheme: WebhookScheme) -> Bool {
        switch scheme {
        case .discord: true
        case .standardWebhooks(let keys, _): keys.isEmpty
        default: false
        }
    }

    static func coversBody(_ scheme: WebhookScheme) -> Bool {
        switch scheme {
        case .gitlab, .bearer, .basic: false
        default: true
        }
    }

    @Test func `a scheme without a secret cannot be imitated`() {
        let signer = WebhookSigner(cryptography: OpenSSLWebhookCryptography())
        let request = WebhookVector.all[0].request
        for scheme in [.github(secrets: []), .addresses([]), .certificateSubject(["CN=a"])] as [WebhookScheme] {
            #expect(throws: WebhookSigner.Flaw.nothingToSignWith(scheme.name)) {
                try signer.fields(for: request, by: scheme, id: "1")
            }
        }
        #expect(throws: WebhookSigner.Flaw.notASigningKey) {
            try signer.fields(for: request, by: .discord(publicKeys: []), id: "1")
        }
    }
}
