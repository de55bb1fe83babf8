import TestSupport
import Testing
import TunnelDomain

struct SecretFormatTests {
    /// 16 bytes from 0 to 15.
    static let bytes = [UInt8](0..<16)

    @Test func `secrets have their documented forms`() {
        #expect(SecretFormat.connectSecret(randomBytes: Self.bytes) == "tnl_000102030405060708090a0b0c0d0e0f")
        #expect(SecretFormat.clientSecret(randomBytes: Self.bytes + Self.bytes).utf8.count == 64)
        let key = SecretFormat.apiKey(randomBytes: Self.bytes)
        #expect(key.hasPrefix("ApiKey_") && key.utf8.count == 7 + 22 + 6)
        #expect(SecretFormat.rotationSecret(randomBytes: Self.bytes).hasPrefix("RotSecret_"))
    }

    @Test func `a key of known bytes is written as ever`() {
        // Keys in the hands of users must be recognised by every later version.
        #expect(SecretFormat.apiKey(randomBytes: Self.bytes) == "ApiKey_000SYW7RiJxkEgOGusQGwp2riL27")
    }

    @Test(
        arguments: [
            ("", .unknownPrefix), ("ApiKey", .unknownPrefix), ("apikey_0", .unknownPrefix), ("sk_live_x", .unknownPrefix),
            ("ApiKey_", .wrongLength(byteCount: 7)), ("tnl_", .wrongLength(byteCount: 4)),
            ("tnl_000102030405060708090a0b0c0d0e0", .wrongLength(byteCount: 35)),
            ("tnl_000102030405060708090a0b0c0d0e0f0", .wrongLength(byteCount: 37)),
            ("tnl_000102030405060708090A0b0c0d0e0f", .illegalCharacter(at: 25)),
            ("tnl_000102030405060708090g0b0c0d0e0f", .illegalCharacter(at: 25)),
            ("ApiKey_0123456789abcdefghij-k012345", .illegalCharacter(at: 27)),
            ("ApiKey_0123456789abcdefghijkl000000", .wrongChecksum),
        ] as [(String, SecretFormatError)])
    func `what was never issued is told apart`(text: String, error: SecretFormatError) {
        #expect(throws: error) { try SecretFormat.kind(of: text) }
        #expect(text.utf8.count < 8 || !error.explanation.contains(text.dropFirst(7)))
    }

    @Test func `an explanation counts positions from 1`() {
        #expect(SecretFormatError.illegalCharacter(at: 0).explanation.contains("position 1;"))
    }

    @Test func `a secret of one kind is none of another`() throws {
        try SecretFormat.check(SecretFormat.apiKey(randomBytes: Self.bytes), is: .apiKey)
        #expect(throws: SecretFormatError.unknownPrefix) {
            try SecretFormat.check(SecretFormat.apiKey(randomBytes: Self.bytes), is: .rotationSecret)
        }
    }

    @Test func `what lists show does not give a secret away`() {
        let key = SecretFormat.apiKey(randomBytes: Self.bytes)
        #expect(SecretFormat.displayPrefix(of: key) == "ApiKey_000S")
        #expect(SecretFormat.last4(of: key) == "iL27")
        #expect(SecretFormat.displayPrefix(of: "tnl_0123456789") == "tnl_0123")
        #expect(SecretFormat.displayPrefix(of: "abc") == "abc")
    }

    @Test func `every secret is recognised as what it is`() throws {
        try checkProperty { sample in
            let bytes = sample.bytes(sample.int(in: 16...64))
            for secret in [SecretFormat.apiKey(randomBytes: bytes), SecretFormat.rotationSecret(randomBytes: bytes)] {
                sample.note(secret)
                let kind = try SecretFormat.kind(of: secret)
                try sample.check(secret.hasPrefix(kind.prefix), "it is taken for \(kind)")
            }
            let secret = SecretFormat.connectSecret(randomBytes: Array(bytes.prefix(16)))
            try sample.check(try SecretFormat.kind(of: secret), is: .connectSecret)
        }
    }

    @Test func `every wrong character is noticed before any lookup`() throws {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-".utf8)
        try checkProperty { sample in
            let secret = Array(SecretFormat.apiKey(randomBytes: sample.bytes(sample.int(in: 16...24))).utf8)
            for position in secret.indices {
                var wrong = secret
                wrong[position] = sample.element(of: alphabet.filter { $0 != secret[position] })
                let text = String(decoding: wrong, as: UTF8.self)
                try sample.check((try? SecretFormat.kind(of: text)) == nil, "\(text) passes")
            }
        }
    }

    @Test func `swapped neighbours and lost characters are noticed`() throws {
        try checkProperty { sample in
            let secret = Array(SecretFormat.apiKey(randomBytes: sample.bytes(20)).utf8)
            let position = sample.int(in: 0...secret.count - 2)
            var (swapped, shortened) = (secret, secret)
            swapped.swapAt(position, position + 1)
            shortened.remove(at: position)
            sample.note(String(decoding: secret, as: UTF8.self) + " at \(position)")
            for wrong in [swapped, shortened] where wrong != secret {
                try sample.check((try? SecretFormat.kind(of: String(decoding: wrong, as: UTF8.self))) == nil, "it passes")
            }
        }
    }

    @Test func `no text is too strange`() throws {
        try checkProperty { sample in
            let text =
                sample.element(of: ["", "ApiKey_", "tnl_", "RotSecret_"]) + sample.text(of: "aZ9_é\u{0} ", count: 0...100)
            sample.note(text)
            try sample.check((try? SecretFormat.kind(of: text)) == nil, "it passes")
        }
    }
}
