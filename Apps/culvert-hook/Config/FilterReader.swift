import TextSearch
import TunnelWire

/// Reads which events a route wants.
enum FilterReader {
    private static let sources = ["header", "query", "json"]
    private static let claims = ["equals", "in", "matches", "exists"]

    static func read(_ reader: ConfigReader) -> WebhookFilter? {
        guard reader.isObject(of: ["all", "any", "not"] + sources + claims) else { return nil }
        let connectives = ["all", "any", "not"].filter { reader.member($0) != nil }
        let found = sources.filter { reader.member($0) != nil }
        guard connectives.count + found.count == 1 else {
            reader.complain("a filter has exactly one of all, any, not, header, query and json")
            return nil
        }
        if let parts = reader.member("all") { return list(parts).map { .all($0) } }
        if let parts = reader.member("any") { return list(parts).map { .any($0) } }
        if let part = reader.member("not") { return read(part).map { .not($0) } }
        guard let source = source(reader), let claim = claim(reader) else { return nil }
        return .test(source, claim)
    }

    private static func list(_ reader: ConfigReader) -> [WebhookFilter]? {
        let parts = reader.elements.map { read($0) }
        return parts.contains { $0 == nil } ? nil : parts.compactMap { $0 }
    }

    /// A header, a parameter of the query, or a place in the body.
    static func source(_ reader: ConfigReader) -> WebhookFilter.Source? {
        if let name = reader.member("header") { return name.fieldName.map { .field($0) } }
        if let name = reader.member("query") { return name.nonemptyString.map { .query($0) } }
        return reader.member("json")?.jsonPointer.map { .json($0) }
    }

    private static func claim(_ reader: ConfigReader) -> WebhookFilter.Claim? {
        let found = claims.filter { reader.member($0) != nil }
        guard found.count == 1 else {
            reader.complain("a filter has exactly one of equals, in, matches and exists")
            return nil
        }
        if let value = reader.member("equals") {
            switch value.value {
            case .string, .number, .bool, .null: return .equals(value.value.plainText)
            case .array, .object:
                value.complain("\(value.value.kindDescription) stands here; a plain value is needed")
                return nil
            }
        }
        if let list = reader.member("in") { return .isIn(list.elements.map(\.value.plainText)) }
        if let text = reader.member("matches") {
            guard let pattern = text.string else { return nil }
            do { return .matches(try SearchPattern(pattern, by: PCRE2Compiler())) } catch {
                text.complain("“\(pattern)” cannot be looked for: \(error)")
                return nil
            }
        }
        guard reader.member("exists")?.bool == true else {
            reader.member("exists")?.complain("“exists” can only be true; put “not” around it for the contrary")
            return nil
        }
        return .exists
    }
}
