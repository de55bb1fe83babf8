internal import TunnelWire

/// What a request carries to say who sends it.
enum PresentedCredential: Sendable, Hashable {
    /// In `X-API-Key`, or behind `Bearer` in `Authorization` (RFC 6750).
    case apiKey(String)
    /// Behind `Basic` in `Authorization`: an app's id and secret (RFC 7617).
    case app(BasicCredentials)
    /// Behind `Basic`, but not a user name and a password.
    case unreadable

    /// The one credential of a request; nil when there is none, or when there are two different ones: then it would be left
    /// to chance who is asking. One that is sent twice is one.
    static func single(in fields: HTTPFields) -> PresentedCredential? {
        let keys = fields.all(.xApiKey).map(PresentedCredential.apiKey)
        let presented = Set(keys + fields.all(.authorization).compactMap(PresentedCredential.init(authorization:)))
        return presented.count == 1 ? presented.first : nil
    }

    /// Reads `Authorization`; nil for another scheme. The scheme's case does not matter (RFC 9110 section 11.1).
    private init?(authorization value: String) {
        let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2 else { return nil }
        let token = String(parts[1].drop { $0 == " " })
        switch parts[0].lowercased() {
        case "bearer": self = .apiKey(token)
        case "basic": self = BasicCredentials(token: token).map(PresentedCredential.app) ?? .unreadable
        default: return nil
        }
    }
}
