/// What a client says in `Accept`: which media types it takes, and how gladly (RFC 9110 §12.5.1).
package struct AcceptedTypes: Sendable, Hashable {
    private struct Range: Hashable {
        var type: Substring
        var subtype: Substring
        /// Thousandths.
        var weight: Int

        /// How exactly it names the type, or nil when it does not cover it.
        func exactness(for other: (type: String, subtype: String)) -> Int? {
            if type == "*", subtype == "*" { return 0 }
            guard type == other.type else { return nil }
            return subtype == "*" ? 1 : subtype == other.subtype ? 2 : nil
        }
    }

    /// In the order in which they were named; nil when nothing was said, which accepts everything.
    private let ranges: [Range]?

    /// Reads all `Accept` fields; what is no media range is passed over, and so is one whose weight is none.
    package init(_ fields: HTTPFields) {
        let values = fields.all(.accept)
        ranges = values.isEmpty ? nil : values.flatMap { $0.lowercased().split(separator: ",").compactMap(Self.range) }
    }

    /// How gladly the type is taken, in thousandths: the most exact range decides. 0 is not at all.
    package func weight(of type: String, _ subtype: String) -> Int {
        guard let ranges else { return 1000 }
        let fitting = ranges.compactMap { range in range.exactness(for: (type, subtype)).map { ($0, range.weight) } }
        return fitting.max { $0.0 < $1.0 }?.1 ?? 0
    }

    /// Whether a page suits the client better than a JSON document. Where both suit alike, the one that it named itself,
    /// and first, is taken; a client that does not care is a program.
    package var prefersHTML: Bool {
        let page = weight(of: "text", "html")
        let document = max(weight(of: "application", "problem+json"), weight(of: "application", "json"))
        guard page == document else { return page > document }
        guard page > 0, let ranges else { return false }
        let named = ranges.first { range in
            range.type == "text" && range.subtype == "html"
                || range.type == "application" && (range.subtype == "json" || range.subtype == "problem+json")
        }
        return named?.type == "text"
    }

    private static func range(_ text: Substring) -> Range? {
        var parts = text.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        let type = parts.removeFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard type.count == 2, type.allSatisfy({ HTTPSyntax.isToken(Array($0.utf8).span) }) else { return nil }
        guard let weight = parts.first(where: { $0.hasPrefix("q=") }) else {
            return Range(type: type[0], subtype: type[1], weight: 1000)
        }
        return weightValue(weight.dropFirst(2)).map { Range(type: type[0], subtype: type[1], weight: $0) }
    }

    /// `0` to `1` with up to three decimals, in thousandths (RFC 9110 §12.4.2).
    private static func weightValue(_ text: Substring) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts[0] == "0" || parts[0] == "1" else { return nil }
        let decimals = parts.count == 2 ? parts[1] : ""
        guard decimals.utf8.count <= 3, decimals.utf8.allSatisfy(HTTPSyntax.isDigit) else { return nil }
        let thousandths = Int(decimals + String(repeating: "0", count: 3 - decimals.utf8.count)) ?? 0
        return parts[0] == "0" ? thousandths : thousandths == 0 ? 1000 : nil
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
