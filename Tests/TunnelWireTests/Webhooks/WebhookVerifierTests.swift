import TLS
import TestSupport
import Testing
import TunnelDomain

@testable import TunnelWire

struct WebhookVerifierTests {
    @Test func `there are vectors of every sender, five of them from the senders' own manuals`() {
        #expect(
            Set(WebhookVector.all.map(\.scheme)) == [
                "standard-webhooks", "svix", "github", "stripe", "slack", "inkbox", "shopify", "gitlab", "twilio", "discord",
            ])
        #expect(WebhookVector.all.count(where: \.documented) == 5)
    }

    @Test(arguments: WebhookVector.all)
    func `what the sender signed is genuine`(vector: WebhookVector) {
        #expect(vector.verifier().verdict(on: vector.request).isGenuine)
    }

    @Test(arguments: WebhookVector.all)
    func `another secret does not fit`(vector: WebhookVector) {
        var key = vector.key
        key[0] ^= 1
        #expect(!vector.verifier([key]).verdict(on: vector.request).isGenuine)
        #expect(!vector.verifier([]).verdict(on: vector.request).isGenuine)
    }

    @Test(arguments: WebhookVector.all)
    func `while secrets rotate both fit, and the verdict says which`(vector: WebhookVector) {
        let other = vector.key.map { $0 ^ 0x55 }
        for (keys, index) in [([vector.key, other], 0), ([other, vector.key], 1)] {
            guard case .genuine(let proof) = vector.verifier(keys).verdict(on: vector.request) else {
                Issue.record("refused with the right secret at \(index)")
                continue
            }
            #expect(proof.secretIndex == index)
            #expect(proof.scheme == vector.scheme)
        }
    }

    @Test(arguments: WebhookVector.all.filter(\.isTimed))
    func `the tolerance counts from the receipt, its edge included`(vector: WebhookVector) {
        let verifier = vector.verifier()
        let edges: [(Duration, WebhookRefusal?)] = [
            (.seconds(300), nil), (.seconds(300) + .microseconds(1), .tooOld), (.seconds(-300), nil),
            (.seconds(-300) - .microseconds(1), .tooNew),
        ]
        for (offset, refusal) in edges {
            var request = vector.request
            request.receivedAt = request.receivedAt + offset
            #expect(verifier.verdict(on: request).refusal == refusal, "\(offset)")
        }
    }

    @Test(arguments: WebhookVector.all.filter(\.isTimed))
    func `a proof says until when the message could be replayed`(vector: WebhookVector) {
        guard case .genuine(let proof) = vector.verifier().verdict(on: vector.request) else { return #expect(Bool(false)) }
        #expect(proof.isReplayableUntil == vector.request.receivedAt + .seconds(300))
        #expect(proof.messageDigest?.count == 32)
    }

    @Test(arguments: WebhookVector.all)
    func `a missing or repeated field is no proof`(vector: WebhookVector) {
        for name in vector.headers.keys where name != "content-type" && !vector.isIDOnly(name) {
            var request = vector.request
            request.fields.removeAll { $0.name == name }
            #expect(!vector.verifier().verdict(on: request).isGenuine, "without \(name)")
            request = vector.request
            request.fields.append(WebhookField(name, vector.headers[name] ?? ""))
            #expect(!vector.verifier().verdict(on: request).isGenuine, "with \(name) twice")
        }
    }

    /// Body, URL, timestamp and signature, each in turn: nothing but the very message that was signed is taken.
    @Test(arguments: WebhookVector.all.filter { $0.scheme != "gitlab" })
    func `no one-bit change verifies`(vector: WebhookVector) throws {
        try checkProperty(cases: 400) { sample in
            var request = vector.request
            var places: [(String, (inout WebhookRequest, Int) -> Void, Int)] = [
                ("body", { $0.body[$1 / 8] ^= 1 << UInt8($1 % 8) }, request.body.count * 8)
            ]
            if vector.scheme == "twilio" {
                places.append(("target", { $0.target.flip($1) }, request.target.utf8.count * 8))
            }
            for (place, field) in request.fields.enumerated() where !vector.isUnsigned(field.name) {
                places.append((field.name, { $0.fields[place].value.flip($1) }, field.value.utf8.count * 8))
            }
            let (name, flip, bitCount) = sample.element(of: places)
            let bit = sample.int(in: 0...bitCount - 1)
            flip(&request, bit)
            sample.note("bit \(bit) of \(name)")
            if vector.scheme == "twilio", name == "body", FormFields(request.body) == FormFields(vector.request.body) { return }
            guard !vector.verifier().verdict(on: request).isGenuine else { throw Broken("it is taken") }
        }
    }

    struct Broken: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}

extension WebhookVector {
    /// The delivery's id where the sender does not sign it.
    func isIDOnly(_ name: String) -> Bool {
        name == "x-github-delivery" || name == "x-twilio-webhooks-signature-settings"
    }

    func isUnsigned(_ name: String) -> Bool {
        isIDOnly(name) || name == "content-type"
            // These list signatures that nobody checks beside the one that fits.
            || name.hasSuffix("-signature") && (headers[name] ?? "").contains(where: { $0 == " " })
            || name == "stripe-signature" && (headers[name] ?? "").contains("v0=")
    }
}

extension String {
    /// Flips one bit of the UTF-8; a text that is none any more gets a replacement character, which differs as well.
    mutating func flip(_ bit: Int) {
        var bytes = Array(utf8)
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        self = String(decoding: bytes, as: UTF8.self)
    }
}
