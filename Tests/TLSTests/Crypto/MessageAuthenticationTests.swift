import TLS
import Testing
import TunnelWire

/// The test cases of RFC 2202, RFC 4231 and RFC 8032.
struct MessageAuthenticationTests {
    let cryptography = OpenSSLWebhookCryptography()

    @Test(
        arguments: [
            (.sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (.sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                .sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaea"
                    + "b1a34d4a6b4b636e070a38bce737"
            ),
        ] as [(WebhookHash, String)])
    func `codes are those of the RFCs`(hash: WebhookHash, code: String) {
        let made = cryptography.authenticationCode(
            hash, for: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(Hex.encode(made) == code)
    }

    @Test(arguments: [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                + "d25bf5f0595bbe24655141438e7a100b"
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
                + "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ])
    func `signatures are those of RFC 8032`(seed: String, publicKey: String, message: String, signature: String) throws {
        let (seed, key) = (try #require(Hex.decode(seed)), try #require(Hex.decode(publicKey)))
        let (message, expected) = (try #require(Hex.decode(message)), try #require(Hex.decode(signature)))
        #expect(cryptography.signature(of: message, seed: seed) == expected)
        #expect(cryptography.isSignature(expected, of: message, publicKey: key))
        #expect(!cryptography.isSignature(expected, of: message + [0], publicKey: key))
        #expect(!cryptography.isSignature(Array(expected.dropLast()), of: message, publicKey: key))
        #expect(!cryptography.isSignature(expected, of: message, publicKey: Array(key.dropLast())))
        #expect(cryptography.signature(of: message, seed: Array(seed.dropLast())) == nil)
    }

    @Test func `an empty key is a key`() {
        #expect(
            Hex.encode(cryptography.authenticationCode(.sha256, for: [], key: []))
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }
}
