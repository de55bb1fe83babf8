/// A place in a JSON text (RFC 6901): `/repository/full_name`, `/commits/0/id`; the empty pointer is the whole.
package struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    package let tokens: [String]

    /// Nil when the text neither is empty nor begins with a slash, or a tilde is followed by neither 0 nor 1.
    package init?(_ text: String) {
        guard text.isEmpty || text.hasPrefix("/") else { return nil }
        var tokens: [String] = []
        for part in text.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let token = Self.unescaped(part) else { return nil }
            tokens.append(token)
        }
        self.tokens = tokens
    }

    package init(tokens: [String]) { self.tokens = tokens }

    package var description: String {
        tokens.map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
    }

    package func appending(_ token: String) -> JSONPointer { JSONPointer(tokens: tokens + [token]) }

    private static func unescaped(_ part: Substring) -> String? {
        guard part.contains("~") else { return String(part) }
        var token = ""
        var rest = part
        while let character = rest.popFirst() {
            guard character == "~" else {
                token.append(character)
                continue
            }
            switch rest.popFirst() {
            case "0": token.append("~")
            case "1": token.append("/")
            default: return nil
            }
        }
        return token
    }
}

extension JSONValue {
    /// The value at the pointer, or nil when there is none.
    package func value(at pointer: JSONPointer) -> JSONValue? {
        var value = self
        for token in pointer.tokens {
            switch value {
            case .object:
                guard let member = value[token] else { return nil }
                value = member
            case .array(let elements):
                // No leading zeros, and no `-`, which names an element that does not exist yet.
                guard let index = Int(token), String(index) == token, elements.indices.contains(index) else { return nil }
                value = elements[index]
            case .string, .number, .bool, .null: return nil
            }
        }
        return value
    }

    /// The value as one line of text: a string as it is, everything else as JSON.
    package var plainText: String {
        if case .string(let text) = self { text } else { String(decoding: serialized, as: UTF8.self) }
    }
}
