internal import TunnelWire

/// A JSON Schema (draft 2020-12, which OpenAPI 3.1 uses), and the named schemas that it refers to.
struct JSONSchema: Sendable {
    private(set) var members: [JSONMember]
    private(set) var named: [NamedSchema]

    init(_ members: KeyValuePairs<String, JSONValue>, named: [NamedSchema] = []) {
        self.members = members.map { JSONMember($0.key, $0.value) }
        self.named = named
    }

    var json: JSONValue { .object(members) }

    /// The same schema with one more keyword.
    func with(_ keyword: String, _ value: JSONValue) -> JSONSchema {
        var copy = self
        copy.members.append(JSONMember(keyword, value))
        return copy
    }

    func described(_ text: String) -> JSONSchema { text.isEmpty ? self : with("description", .string(text)) }
    func example(_ value: JSONValue) -> JSONSchema { with("examples", .array([value])) }
    func example(_ text: String) -> JSONSchema { example(.string(text)) }
}

/// A schema that stands once in the document, under `components`, and is referred to by its name.
struct NamedSchema: Sendable {
    let name: String
    let schema: JSONSchema

    init(_ name: String, _ schema: JSONSchema) {
        self.name = name
        self.schema = schema
    }

    /// An object with these members.
    init(_ name: String, _ text: String, _ properties: [SchemaProperty]) {
        self.init(name, .object(properties).described(text))
    }
}

/// One member of an object.
struct SchemaProperty: Sendable {
    let name: String
    let schema: JSONSchema
    let isRequired: Bool

    /// A member that is always there.
    init(_ name: String, _ schema: JSONSchema, _ text: String = "") {
        self.init(name, schema.described(text), isRequired: true)
    }

    /// A member that may be missing.
    static func optional(_ name: String, _ schema: JSONSchema, _ text: String = "") -> SchemaProperty {
        SchemaProperty(name, schema.described(text), isRequired: false)
    }

    private init(_ name: String, _ schema: JSONSchema, isRequired: Bool) {
        self.name = name
        self.schema = schema
        self.isRequired = isRequired
    }
}

// MARK: - Plain values

extension JSONSchema {
    static let boolean = JSONSchema(["type": .string("boolean")])
    /// A string of any kind.
    static let string = JSONSchema(["type": .string("string")])
    static let null = JSONSchema(["type": .string("null")])
    /// An identifier in lower case (RFC 9562).
    static let uuid = string(pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$").with("format", .string("uuid"))
    /// A moment in UTC with `Z`.
    static let time = string.with("format", .string("date-time")).example("2026-04-21T12:30:00Z")
    static let uri = string.with("format", .string("uri"))
    /// Seconds since 1970 with a fraction.
    static let unixSeconds = JSONSchema(["type": .string("number")])
    /// An object whose members are the caller's business.
    static let anyObject = JSONSchema(["type": .string("object")])

    static func integer(_ range: ClosedRange<Int>? = nil) -> JSONSchema {
        let schema = JSONSchema(["type": .string("integer")])
        guard let range else { return schema }
        return schema.with("minimum", .integer(range.lowerBound)).with("maximum", .integer(range.upperBound))
    }

    /// Text of so many Unicode scalars.
    static func string(min: Int? = nil, max: Int? = nil, pattern: String? = nil) -> JSONSchema {
        var schema = string
        if let min { schema = schema.with("minLength", .integer(min)) }
        if let max { schema = schema.with("maxLength", .integer(max)) }
        if let pattern { schema = schema.with("pattern", .string(pattern)) }
        return schema
    }

    static func oneOf(_ words: [String]) -> JSONSchema { string.with("enum", .array(words.map { .string($0) })) }
}

// MARK: - Made of others

extension JSONSchema {
    static func object(_ properties: [SchemaProperty]) -> JSONSchema {
        var schema = JSONSchema(["type": .string("object")], named: properties.flatMap(\.schema.named))
        schema = schema.with("properties", .object(properties.map { JSONMember($0.name, $0.schema.json) }))
        let required = properties.filter(\.isRequired).map { JSONValue.string($0.name) }
        return required.isEmpty ? schema : schema.with("required", .array(required))
    }

    static func array(of element: JSONSchema) -> JSONSchema {
        JSONSchema(["type": .string("array"), "items": element.json], named: element.named)
    }

    /// An object whose members all have this form.
    static func map(of element: JSONSchema) -> JSONSchema {
        JSONSchema(["type": .string("object"), "additionalProperties": element.json], named: element.named)
    }

    static func either(_ choices: [JSONSchema]) -> JSONSchema {
        JSONSchema(["anyOf": .array(choices.map(\.json))], named: choices.flatMap(\.named))
    }

    static func ref(_ target: NamedSchema) -> JSONSchema {
        JSONSchema(["$ref": .string("#/components/schemas/\(target.name)")], named: [target])
    }

    /// The same, or null.
    var orNull: JSONSchema {
        var copy = self
        guard let type = members.firstIndex(where: { $0.name == "type" }), case .string(let word) = members[type].value else {
            return .either([self, .null])
        }
        copy.members[type].value = .array([.string(word), .string("null")])
        // A list of choices has to name null too.
        if let choices = members.firstIndex(where: { $0.name == "enum" }), case .array(let words) = members[choices].value {
            copy.members[choices].value = .array(words + [.null])
        }
        return copy
    }
}
