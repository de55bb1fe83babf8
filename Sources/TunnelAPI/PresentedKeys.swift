internal import TunnelWire

/// The API keys that a request carries: in `X-API-Key`, and behind `Bearer` in `Authorization` (RFC 6750).
struct PresentedKeys {
    let keys: [String]

    init(_ fields: HTTPFields) {
        keys = fields.all(.xApiKey) + fields.all(.authorization).compactMap(Self.bearerToken)
    }

    /// The token; nil for another scheme. The scheme's case does not matter (RFC 9110 section 11.1).
    private static func bearerToken(of value: String) -> String? {
        let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1].drop { $0 == " " })
    }
}
