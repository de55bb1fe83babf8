/// How a sender writes its secret down.
package enum WebhookSecretForm: String, Sendable, Hashable, CaseIterable {
    /// The text's own bytes are the key.
    case text
    /// `whsec_` and base64, as Standard Webhooks has it; the prefix may be missing, and so may the padding.
    case whsec
    /// An Ed25519 public key: `whpk_` and base64.
    case whpk
    /// An Ed25519 private key for making test events: `whsk_` and base64 of 32 bytes, or of 64 with the public key behind.
    case whsk
    /// Hexadecimal, as Discord shows public keys.
    case hex
    /// A text whose `whsec_` prefix is no part of the key.
    case inkbox

    /// The bytes of the key; nil when the text has another form or is empty.
    package func bytes(of text: String) -> [UInt8]? {
        let bytes: [UInt8]? =
            switch self {
            case .text: Array(text.utf8)
            case .whsec: Self.base64(text.withoutPrefix("whsec_"))
            case .whpk: Self.base64(text.withoutPrefix("whpk_")).flatMap { $0.count == 32 ? $0 : nil }
            case .whsk: Self.base64(text.withoutPrefix("whsk_")).flatMap { $0.count == 32 || $0.count == 64 ? $0 : nil }
            case .hex: Hex.decode(text)
            case .inkbox: Array(text.withoutPrefix("whsec_").utf8)
            }
        guard let bytes, !bytes.isEmpty else { return nil }
        return bytes
    }

    private static func base64(_ text: String) -> [UInt8]? {
        let missing = (4 - text.utf8.count % 4) % 4
        return Base64.decode(text + String(repeating: "=", count: missing))
    }
}

extension String {
    fileprivate func withoutPrefix(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
