/// A JSON text as a tree that loses nothing: members keep their order, numbers keep their digits.
///
/// A tunnel's metadata is promised back as it was given. A decoder that turns numbers into `Double` and objects into
/// dictionaries cannot keep that promise, so the REST API reads and writes this tree.
package enum JSONValue: Sendable, Hashable {
    case object([JSONMember])
    case array([JSONValue])
    case string(String)
    /// The number as it was written: `1.0`, `1e3` and `12345678901234567890` stay what they are.
    case number(String)
    case bool(Bool)
    case null
}

/// One name and its value in an object.
package struct JSONMember: Sendable, Hashable {
    package var name: String
    package var value: JSONValue

    package init(_ name: String, _ value: JSONValue) {
        self.name = name
        self.value = value
    }
}

extension JSONValue {
    /// The value of the member with this name; nil when there is none, or when this is no object.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        // By bytes: `String` equality would also accept canonically equivalent spellings.
        return members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    package var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// What this value is, in words for an error's detail.
    package var kindDescription: String {
        switch self {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .bool: "a Boolean"
        case .null: "null"
        }
    }

    /// A string, or null for nil.
    package static func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }

    package static func integer(_ number: some BinaryInteger) -> JSONValue { .number(String(number)) }

    /// An object with these members in this order.
    package static func members(_ pairs: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(pairs.map { JSONMember($0.key, $0.value) })
    }
}
