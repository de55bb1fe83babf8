/// What a certificate signing request (PKCS #10, RFC 2986) says, as far as the policy asks.
public struct SigningRequest: Hashable, Sendable {
    /// The key that the certificate is asked for.
    public enum Key: Hashable, Sendable {
        case rsa(bitCount: Int)
        case p256, p384, ed25519
        /// Any other kind, by a name for people.
        case other(String)
    }

    /// The hash within the request's signature.
    public enum SignatureHash: Hashable, Sendable {
        case sha256, sha384, sha512
        /// The scheme hashes by itself, as Ed25519 does.
        case intrinsic
        /// Any other, such as SHA-1, by a name for people.
        case other(String)
    }

    /// A name that the certificate is asked to be for (RFC 5280 section 4.2.1.6).
    public enum AlternativeName: Hashable, Sendable {
        case dns(String)
        case ipAddress(String)
        case uri(String)
        case email(String)
        /// Any other kind, by a name for people.
        case other(String)
    }

    /// How many PEM blocks the text had.
    public var blockCount: Int
    public var key: Key
    /// Whether the requester signed with the key that the request carries.
    public var isSignatureValid: Bool
    public var signatureHash: SignatureHash
    /// The subject's common names; more than one is possible, none is usual.
    public var commonNames: [String]
    public var alternativeNames: [AlternativeName]
    /// Whether the request asks for a certificate that may sign others: `basicConstraints` with CA, or `keyCertSign`.
    public var asksForCA: Bool

    /// Takes the facts as a parser found them; nothing is checked here.
    public init(
        blockCount: Int = 1, key: Key, isSignatureValid: Bool, signatureHash: SignatureHash, commonNames: [String],
        alternativeNames: [AlternativeName], asksForCA: Bool
    ) {
        self.blockCount = blockCount
        self.key = key
        self.isSignatureValid = isSignatureValid
        self.signatureHash = signatureHash
        self.commonNames = commonNames
        self.alternativeNames = alternativeNames
        self.asksForCA = asksForCA
    }
}
