internal import TunnelDomain

/// The contents of a key file: an API key and, on a line behind it, the rotation secret if the key is an agent's. That is what
/// `culvert keys create --secret-file` writes.
package struct AgentCredentials: Hashable {
    package var apiKey: String
    package var rotationSecret: String?

    /// Reads the file, or standard input when the path is `-`.
    package static func read(_ file: String) throws(ProfileFlaw) -> AgentCredentials {
        try AgentCredentials(String(decoding: PrivateFile.readForeign(file), as: UTF8.self))
    }

    package init(_ text: String) throws(ProfileFlaw) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let first = words.first else {
            throw ProfileFlaw(
                "the API key file is empty", advice: "It must hold the API key and nothing else.", kind: .usage)
        }
        guard words.count == 1 || words.count == 2 && Self.isRotationSecret(words[1]) else {
            throw ProfileFlaw(
                "the API key file holds more than one word",
                advice: "It must hold the API key and nothing else, but the rotation secret that belongs to it.",
                kind: .usage)
        }
        try Self.check(first)
        apiKey = first
        rotationSecret = words.count == 2 ? words[1] : nil
    }

    /// Reads a file that holds a rotation secret alone.
    package static func readRotationSecret(_ file: String) throws(ProfileFlaw) -> String {
        let words = String(decoding: try PrivateFile.readForeign(file), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard let word = words.first, words.count == 1, isRotationSecret(String(word)) else {
            throw ProfileFlaw(
                "the rotation secret file does not hold a rotation secret",
                advice: "A rotation secret begins with \(SecretKind.rotationSecret.prefix); \"culvert keys create\" shows it.",
                kind: .usage)
        }
        return String(word)
    }

    private static func isRotationSecret(_ word: String) -> Bool { word.hasPrefix(SecretKind.rotationSecret.prefix) }

    /// A key of ours has a checksum: a mistyped one is told from a revoked one without asking anybody. Another server's keys
    /// may look otherwise.
    private static func check(_ key: String) throws(ProfileFlaw) {
        guard key.hasPrefix(SecretKind.rotationSecret.prefix) || key.hasPrefix(SecretKind.connectSecret.prefix) else { return }
        throw ProfileFlaw(
            "the API key file holds another kind of secret",
            advice: "An API key begins with \(SecretKind.apiKey.prefix).", kind: .authentication)
    }
}
