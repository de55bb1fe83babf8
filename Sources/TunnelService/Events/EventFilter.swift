/// Which events somebody wants: all, those of some nouns, or some types.
package struct EventFilter: Sendable, Hashable {
    /// More patterns than there are types say nothing new.
    package static let patternCountMax = 50

    /// As given: `*`, `tunnel.*` or `tunnel.created`.
    package let patterns: [String]
    private let types: Set<EventType>

    /// Everything.
    package static let everything = EventFilter(patterns: ["*"], types: Set(EventType.allCases))

    private init(patterns: [String], types: Set<EventType>) {
        self.patterns = patterns
        self.types = types
    }

    /// Takes patterns; the error names the first that matches no type of event.
    package init(_ patterns: [String]) throws(UnknownEventType) {
        var types: Set<EventType> = []
        for pattern in patterns {
            let matching = EventType.allCases.filter { $0.matches(pattern) }
            guard !matching.isEmpty else { throw UnknownEventType(pattern: pattern) }
            types.formUnion(matching)
        }
        self.init(patterns: patterns, types: types)
    }

    package func takes(_ type: EventType) -> Bool { types.contains(type) }
}

/// A pattern that matches no type of event.
package struct UnknownEventType: Error, Hashable {
    package let pattern: String

    package init(pattern: String) { self.pattern = pattern }
}

extension EventType {
    fileprivate func matches(_ pattern: String) -> Bool {
        if pattern == "*" { return true }
        guard pattern.hasSuffix(".*") else { return pattern == rawValue }
        return rawValue.hasPrefix(pattern.dropLast())
    }
}
