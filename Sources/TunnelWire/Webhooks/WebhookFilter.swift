/// Which events a route wants.
package indirect enum WebhookFilter: Sendable, Hashable {
    case test(Source, Claim)
    case all([WebhookFilter])
    case any([WebhookFilter])
    case not(WebhookFilter)

    /// What is looked at.
    package enum Source: Sendable, Hashable {
        /// A header field by its lower-case name; of a repeated one, every value.
        case field(String)
        /// A parameter of the query by its name; of a repeated one, every value.
        case query(String)
        /// A place in the JSON body.
        case json(JSONPointer)
    }

    /// What must be true of it; of several values, for at least one of them.
    package enum Claim: Sendable, Hashable {
        case exists
        case equals(String)
        case isIn([String])
        /// The pattern is found somewhere in the value.
        case matches(SearchPattern)
    }
}

/// A regular expression that has been compiled once to see that it can be.
package struct SearchPattern: Sendable, Hashable {
    /// Characters of a value that are looked at: what a stranger sends must not keep a matcher busy.
    package static let characterCountMax = 1_024

    package let text: String

    /// Nil when the text is no regular expression.
    package init?(_ text: String) {
        guard (try? Regex(text)) != nil else { return nil }
        self.text = text
    }

    package func isFound(in value: String) -> Bool {
        guard let regex = try? Regex(text) else { return false }
        return value.prefix(Self.characterCountMax).firstMatch(of: regex) != nil
    }
}

extension WebhookFilter {
    /// Whether the event is wanted.
    ///
    /// - Parameter json: the body's value, or nil when it is no JSON; then nothing is at any pointer.
    package func wants(_ request: WebhookRequest, json: JSONValue?) -> Bool {
        switch self {
        case .all(let parts): parts.allSatisfy { $0.wants(request, json: json) }
        case .any(let parts): parts.contains { $0.wants(request, json: json) }
        case .not(let part): !part.wants(request, json: json)
        case .test(let source, let claim): claim.holds(of: source.values(in: request, json: json))
        }
    }
}

extension WebhookFilter.Source {
    package func values(in request: WebhookRequest, json: JSONValue?) -> [String] {
        switch self {
        case .field(let name): request.fields.filter { $0.name == name }.map(\.value)
        case .query(let name):
            (FormFields(Array((request.query ?? "").utf8))?.pairs ?? []).filter { $0.name.elementsEqual(name.utf8) }
                .map { String(decoding: $0.value, as: UTF8.self) }
        case .json(let pointer): json?.value(at: pointer).map { [$0.plainText] } ?? []
        }
    }
}

extension WebhookFilter.Claim {
    fileprivate func holds(of values: [String]) -> Bool {
        switch self {
        case .exists: !values.isEmpty
        case .equals(let text): values.contains { $0.utf8.elementsEqual(text.utf8) }
        case .isIn(let texts): values.contains { value in texts.contains { $0.utf8.elementsEqual(value.utf8) } }
        case .matches(let pattern): values.contains { pattern.isFound(in: $0) }
        }
    }
}
