/// What a secret is for; its prefix tells.
public enum SecretKind: String, Hashable, Sendable, CaseIterable {
    /// Authenticates calls to the REST API and, in the key dialect, an agent.
    case apiKey = "ApiKey_"
    /// Lets an identity's agent rotate its own API key.
    case rotationSecret = "RotSecret_"
    /// Authenticates the agent of one tunnel in the secret dialect.
    case connectSecret = "tnl_"

    /// What every secret of this kind begins with.
    public var prefix: String { rawValue }
}

/// How secrets are written, so that scanners find leaked ones and typos are told from revocations without a lookup.
///
/// API keys and rotation secrets are a prefix, a base62 body of at least 128 bits, and 6 base62 digits of CRC-32 over prefix
/// and body. Connect secrets keep their documented form, `tnl_` and 32 lower-case hexadecimal digits, without a checksum.
/// Apps' client secrets are 64 hexadecimal digits with no prefix and are looked up by their client's id.
/// (Control plane, sections 1 and 6.)
public enum SecretFormat {
    /// The fewest random bytes of a checksummed secret: 128 bits.
    public static let randomByteCountMin = 16
    /// The most random bytes of a checksummed secret.
    public static let randomByteCountMax = 64
    /// The random bytes of a connect secret.
    public static let connectSecretByteCount = 16
    /// The random bytes of an app's client secret.
    public static let clientSecretByteCount = 32
    /// The base62 digits of the checksum.
    public static let checksumByteCount = 6

    /// Writes a new API key of 16 to 64 random bytes (a precondition).
    public static func apiKey(randomBytes: [UInt8]) -> String {
        checksummed(.apiKey, randomBytes)
    }

    /// Writes a new rotation secret of 16 to 64 random bytes (a precondition).
    public static func rotationSecret(randomBytes: [UInt8]) -> String {
        checksummed(.rotationSecret, randomBytes)
    }

    /// Writes a new connect secret of 16 random bytes (a precondition).
    public static func connectSecret(randomBytes: [UInt8]) -> String {
        precondition(randomBytes.count == connectSecretByteCount, "a connect secret is made of 16 bytes")
        return SecretKind.connectSecret.prefix + Hexadecimal.text(of: randomBytes)
    }

    /// Writes a new client secret of 32 random bytes (a precondition).
    public static func clientSecret(randomBytes: [UInt8]) -> String {
        precondition(randomBytes.count == clientSecretByteCount, "a client secret is made of 32 bytes")
        return Hexadecimal.text(of: randomBytes)
    }

    private static func checksummed(_ kind: SecretKind, _ randomBytes: [UInt8]) -> String {
        precondition(
            (randomByteCountMin...randomByteCountMax).contains(randomBytes.count), "a secret is made of 16 to 64 bytes")
        let body = kind.prefix + Base62.text(of: randomBytes)
        return body + Base62.text(of: CRC32.checksum(of: body.utf8))
    }
}

// MARK: - Reading

extension SecretFormat {
    /// Tells what kind of secret a well-formed text is; the error says why it cannot be any that was ever issued.
    ///
    /// A text that passes may still be unknown or revoked. To a caller without a credential all these cases must look alike;
    /// the error is for logs and for our own command line.
    public static func kind(of text: String) throws(SecretFormatError) -> SecretKind {
        guard let kind = SecretKind.allCases.first(where: { text.utf8.starts(with: $0.prefix.utf8) }) else {
            throw .unknownPrefix
        }
        switch kind {
        case .apiKey, .rotationSecret: try checkChecksummed(text, prefixByteCount: kind.prefix.utf8.count)
        case .connectSecret: try checkConnectSecret(text)
        }
        return kind
    }

    /// Checks that a text has the form of the kind that the caller expects.
    public static func check(_ text: String, is kind: SecretKind) throws(SecretFormatError) {
        guard try self.kind(of: text) == kind else { throw .unknownPrefix }
    }

    private static func checkChecksummed(_ text: String, prefixByteCount: Int) throws(SecretFormatError) {
        let byteCount = text.utf8.count
        let bodyByteCount = byteCount - prefixByteCount - checksumByteCount
        guard
            bodyByteCount >= Base62.digitCount(byteCount: randomByteCountMin),
            bodyByteCount <= Base62.digitCount(byteCount: randomByteCountMax)
        else { throw .wrongLength(byteCount: byteCount) }
        try checkCharacters(of: text, from: prefixByteCount) { Base62.isDigit($0) }
        let checksum = Base62.text(of: CRC32.checksum(of: text.utf8.dropLast(checksumByteCount)))
        guard checksum.utf8.elementsEqual(text.utf8.suffix(checksumByteCount)) else { throw .wrongChecksum }
    }

    private static func checkConnectSecret(_ text: String) throws(SecretFormatError) {
        let prefixByteCount = SecretKind.connectSecret.prefix.utf8.count
        guard text.utf8.count == prefixByteCount + 2 * connectSecretByteCount else {
            throw .wrongLength(byteCount: text.utf8.count)
        }
        try checkCharacters(of: text, from: prefixByteCount) { Hexadecimal.isLowerDigit($0) }
    }

    private static func checkCharacters(
        of text: String, from start: Int, isLegal: (UInt8) -> Bool
    ) throws(SecretFormatError) {
        for (offset, byte) in text.utf8.enumerated() where offset >= start && !isLegal(byte) {
            throw .illegalCharacter(at: offset)
        }
    }
}

/// Why a text cannot be a secret that was ever issued. No case carries any of the text.
public enum SecretFormatError: Error, Hashable, Sendable {
    /// It begins with no known prefix, or with that of another kind.
    case unknownPrefix
    /// It is too short or too long for its prefix.
    case wrongLength(byteCount: Int)
    /// A byte that such a secret never has; `at` counts bytes from 0.
    case illegalCharacter(at: Int)
    /// Its checksum does not fit: some character is wrong.
    case wrongChecksum

    /// What is wrong and what to do, in one sentence for people; it repeats nothing of the secret.
    public var explanation: String {
        switch self {
        case .unknownPrefix:
            "The credential does not begin like one of this service's; check that the right one was given."
        case .wrongLength(let byteCount):
            "The credential has \(byteCount) characters, which none has; check that all of it was copied and nothing more."
        case .illegalCharacter(let position):
            "The credential has an impossible character at position \(position + 1); check how it was copied."
        case .wrongChecksum:
            "The credential is mistyped: its checksum does not fit; copy it again."
        }
    }
}

// MARK: - Showing a part

extension SecretFormat {
    /// The beginning of a secret that may be shown in lists: prefix and 4 characters; too short to help a guesser.
    public static func displayPrefix(of secret: String) -> String {
        let prefixByteCount = SecretKind.allCases.first { secret.utf8.starts(with: $0.prefix.utf8) }?.prefix.utf8.count ?? 0
        return String(decoding: secret.utf8.prefix(prefixByteCount + 4), as: UTF8.self)
    }

    /// The last 4 characters of a secret, for people to tell theirs apart.
    public static func last4(of secret: String) -> String {
        String(decoding: secret.utf8.suffix(4), as: UTF8.self)
    }
}
