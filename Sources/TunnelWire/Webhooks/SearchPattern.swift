/// A regular expression that was compiled once, and is looked for within bounds.
package struct SearchPattern: Sendable, Hashable {
    /// Characters (Unicode scalars) of a value that are looked at: what a stranger sends must not keep a matcher busy.
    package static let characterCountMax = 1_024

    package let text: String
    private let engine: any PatternEngine

    /// - Throws: `PatternFlaw` when the engine does not take the text for a pattern.
    package init(_ text: String, by compiler: some PatternCompiler) throws(PatternFlaw) {
        self.text = text
        engine = try compiler.engine(for: text)
    }

    /// Looks for the pattern somewhere in the value's first `characterCountMax` characters.
    ///
    /// - Parameter stepsLeft: how many steps may still be taken; those that were taken are gone from it.
    package func search(_ value: String, stepsLeft: inout Int) -> SearchResult {
        guard stepsLeft > 0 else { return .gaveUp(.steps) }
        let text = String(value.unicodeScalars.prefix(Self.characterCountMax))
        let (result, stepCount) = engine.search(text, stepCountMax: stepsLeft)
        stepsLeft -= min(stepCount, stepsLeft)
        return result
    }

    package static func == (left: SearchPattern, right: SearchPattern) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(Array(text.utf8)) }
}

/// What filters need of a library for regular expressions; `TextSearch` has the adapter.
package protocol PatternCompiler: Sendable {
    /// - Throws: `PatternFlaw`, which names what the library does not take.
    func engine(for pattern: String) throws(PatternFlaw) -> any PatternEngine
}

/// A compiled pattern. Several threads may search by it at once.
package protocol PatternEngine: Sendable {
    /// Looks for the pattern somewhere in the text, by at most so many steps. A step is one item of the pattern tried at one
    /// place; it costs at most one pass over the text.
    ///
    /// - Returns: the result, and how many steps were taken: 0 to `stepCountMax`.
    func search(_ text: String, stepCountMax: Int) -> (result: SearchResult, stepCount: Int)
}

/// What came of looking for a pattern.
package enum SearchResult: Sendable, Hashable {
    case found, notFound
    /// Nobody knows: the search would have gone beyond a bound.
    case gaveUp(SearchBound)
}

/// What a search must not go beyond.
package enum SearchBound: Sendable, Hashable {
    case steps, memory
}

/// Why a text is not taken for a pattern.
package struct PatternFlaw: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, and what to write instead where that is known.
    package var reason: String
    /// Characters (Unicode scalars) of the pattern before the place of the mistake.
    package var offset: Int

    package init(_ reason: String, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { "\(reason), at character \(offset + 1)" }
}
