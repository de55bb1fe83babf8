/// The names that no tunnel may take: infrastructure words, compared without hyphens (control plane, section 3).
///
/// `Fixtures/Names/reserved.txt` holds the same words for tools outside; a test keeps the two equal.
public struct ReservedNames: Hashable, Sendable {
    /// The words, lower case and without hyphens.
    public private(set) var words: Set<String>

    /// Takes words in any case, with or without hyphens.
    public init(words: some Sequence<String>) {
        self.words = Set(words.map { Self.normalized($0) })
    }

    /// Whether the name is one of the words, hyphens aside: `web-hook` is reserved because `webhook` is.
    public func contains(_ name: TunnelName) -> Bool {
        words.contains(Self.normalized(name.text))
    }

    /// The list with an operator's own words added.
    public func adding(_ more: some Sequence<String>) -> ReservedNames {
        ReservedNames(words: Array(words) + Array(more))
    }

    /// The list without the words that an operator wants to give away.
    public func removing(_ fewer: some Sequence<String>) -> ReservedNames {
        ReservedNames(words: words.subtracting(fewer.map { Self.normalized($0) }))
    }

    private static func normalized(_ word: String) -> String {
        String(decoding: word.utf8.lazy.filter { $0 != ASCII.minus }.map { ASCII.lowercased($0) }, as: UTF8.self)
    }

    /// The words that every service reserves unless its operator says otherwise.
    public static let standard = ReservedNames(words: [
        "admin", "api", "app", "assets", "auth", "beta", "billing", "blog", "cdn", "console", "contact", "css", "dev",
        "development", "dns", "docs", "documentation", "ftp", "grafana", "health", "healthcheck", "help", "idp", "images",
        "imap", "img", "info", "internal", "intranet", "jobs", "js", "kibana", "legal", "local", "localhost", "login", "mail",
        "mcp", "media", "metrics", "mfa", "monitor", "monitoring", "mx", "oauth", "otp", "pop", "pop3", "press", "privacy",
        "private", "prod", "production", "prometheus", "proxy", "saml", "security", "signin", "signup", "smtp", "ssh", "ssl",
        "sso", "stage", "staging", "static", "status", "support", "system", "test", "tls", "tunnel", "vpn", "webhook",
        "webhooks", "www",
    ])
}
