/// Which signing requests become certificates: those for exactly one public host, with a sound key, and nothing else
/// (control plane, section 3).
public enum SigningPolicy {
    /// The most bytes of a request's PEM; an RSA key of 8,192 bits with every usual attribute needs under half of it.
    public static let requestByteCountMax = 16 * 1024
    /// The fewest bits of an RSA key.
    public static let rsaBitCountMin = 2048
    /// The most bits of an RSA key; larger ones cost every handshake and protect nobody better.
    public static let rsaBitCountMax = 8192

    /// Says why a request for a host is refused, or nil when it may be signed; of several reasons, the first in the order
    /// of ``SigningRefusal``.
    public static func refusal(of request: SigningRequest, for host: PublicHost) -> SigningRefusal? {
        if request.blockCount != 1 { return .notOneRequest(blockCount: request.blockCount) }
        return refusal(of: request.key)
            ?? refusal(of: request.signatureHash)
            ?? (request.isSignatureValid ? nil : .invalidSignature)
            ?? (request.asksForCA ? .certificateAuthority : nil)
            ?? refusal(ofNamesIn: request, for: host)
    }

    /// Refuses a text before anyone parses it.
    public static func refusal(ofByteCount byteCount: Int) -> SigningRefusal? {
        byteCount <= requestByteCountMax ? nil : .tooLarge(byteCount: byteCount)
    }

    private static func refusal(of key: SigningRequest.Key) -> SigningRefusal? {
        switch key {
        case .rsa(let bitCount) where bitCount < rsaBitCountMin: .weakKey(rsaBitCount: bitCount)
        case .rsa(let bitCount) where bitCount > rsaBitCountMax: .oversizedKey(rsaBitCount: bitCount)
        case .rsa, .p256, .p384, .ed25519: nil
        case .other(let kind): .unsupportedKey(kind)
        }
    }

    private static func refusal(of hash: SigningRequest.SignatureHash) -> SigningRefusal? {
        switch hash {
        case .sha256, .sha384, .sha512, .intrinsic: nil
        case .other(let name): .weakHash(name)
        }
    }

    private static func refusal(ofNamesIn request: SigningRequest, for host: PublicHost) -> SigningRefusal? {
        for name in request.commonNames where !isName(name, host) { return .wrongCommonName(name) }
        for name in request.alternativeNames {
            switch name {
            case .dns(let name) where name.utf8.contains(ASCII.asterisk): return .wildcardName(name)
            case .dns(let name): if !isName(name, host) { return .otherHost(name) }
            case .ipAddress(let text): return .otherKindOfName("the IP address \(text)")
            case .uri(let text): return .otherKindOfName("the URI \(text)")
            case .email(let text): return .otherKindOfName("the e-mail address \(text)")
            case .other(let kind): return .otherKindOfName("a name of the kind \(kind)")
            }
        }
        return request.commonNames.isEmpty && request.alternativeNames.isEmpty ? .noName : nil
    }

    // Host names do not tell case apart (RFC 4343); everything else, a NUL or a final dot too, makes another name.
    private static func isName(_ name: String, _ host: PublicHost) -> Bool {
        Array(ASCII.lowercased(name).utf8) == Array(host.text.utf8)
    }
}

/// The rule that a signing request breaks; the API answers 400.
public enum SigningRefusal: Error, Hashable, Sendable {
    /// More than ``SigningPolicy/requestByteCountMax`` bytes.
    case tooLarge(byteCount: Int)
    /// No PEM block, or several.
    case notOneRequest(blockCount: Int)
    /// RSA with fewer than ``SigningPolicy/rsaBitCountMin`` bits.
    case weakKey(rsaBitCount: Int)
    /// RSA with more than ``SigningPolicy/rsaBitCountMax`` bits.
    case oversizedKey(rsaBitCount: Int)
    /// A key that is neither RSA nor P-256, P-384 or Ed25519.
    case unsupportedKey(String)
    /// A signature over a hash that is no longer sound.
    case weakHash(String)
    /// Not signed with its own key.
    case invalidSignature
    /// It asks for the right to sign others.
    case certificateAuthority
    /// A common name that is not the public host.
    case wrongCommonName(String)
    /// A wildcard, even one that covers the public host.
    case wildcardName(String)
    /// A DNS name other than the public host.
    case otherHost(String)
    /// An IP address, a URI, an e-mail address or another kind of name.
    case otherKindOfName(String)
    /// Neither a common name nor an alternative name.
    case noName

    /// What is wrong and what to do, in one sentence for people.
    public func explanation(for host: PublicHost) -> String {
        switch self {
        case .tooLarge(let byteCount):
            "The request has \(byteCount) bytes; at most \(SigningPolicy.requestByteCountMax) are read."
        case .notOneRequest(let blockCount):
            "The text has \(blockCount) PEM blocks; send exactly one CERTIFICATE REQUEST."
        case .weakKey(let bitCount):
            "The RSA key has \(bitCount) bits; use at least \(SigningPolicy.rsaBitCountMin), or P-256."
        case .oversizedKey(let bitCount):
            "The RSA key has \(bitCount) bits; use at most \(SigningPolicy.rsaBitCountMax), or P-256."
        case .unsupportedKey(let kind):
            "Keys of the kind \(Self.printable(kind)) are not signed; use RSA, P-256, P-384 or Ed25519."
        case .weakHash(let name):
            "The request is signed with \(Self.printable(name)); sign it with SHA-256 or better."
        case .invalidSignature:
            "The request is not signed with the key that it carries; make it again with the right key."
        case .certificateAuthority:
            "The request asks for a certificate authority; ask for an ordinary server certificate."
        case .wrongCommonName(let name):
            "The common name is \(Self.printable(name)); it must be \(host.text) or absent."
        case .wildcardName(let name):
            "The name \(Self.printable(name)) is a wildcard; the only name that is signed is \(host.text)."
        case .otherHost(let name):
            "The name \(Self.printable(name)) is not this tunnel's; the only name that is signed is \(host.text)."
        case .otherKindOfName(let name):
            "The request names \(Self.printable(name)); the only name that is signed is \(host.text)."
        case .noName:
            "The request names no host; put \(host.text) into its alternative names."
        }
    }

    /// The text with whatever could break a line or a terminal made visible, and cut to a bearable length.
    private static func printable(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(100).map { (0x20..<0x7F).contains($0.value) ? String($0) : "?" }.joined()
        return text.unicodeScalars.count > 100 ? shown + "…" : shown
    }
}
