internal import TunnelWire

/// JSON Schemas (2020-12), as much of them as parameters and results need.
enum Schema {
    static func string(_ description: String, max: Int? = nil) -> JSON {
        .some(["type": .string("string"), "description": .string(description), "maxLength": max.map { .integer($0) }])
    }

    static func word(_ words: [String], _ description: String) -> JSON {
        .members(["type": .string("string"), "enum": .strings(words), "description": .string(description)])
    }

    static func time(_ description: String) -> JSON {
        .members(["type": .string("string"), "format": .string("date-time"), "description": .string(description)])
    }

    static func integer(_ description: String, _ range: ClosedRange<Int>? = nil) -> JSON {
        .some([
            "type": .string("integer"), "description": .string(description), "minimum": range.map { .integer($0.lowerBound) },
            "maximum": range.map { .integer($0.upperBound) },
        ])
    }

    static func number(_ description: String, _ range: ClosedRange<Int>? = nil) -> JSON {
        integer(description, range).adding(["type": .string("number")])
    }

    static func flag(_ description: String) -> JSON {
        .members(["type": .string("boolean"), "description": .string(description)])
    }

    static func list(of element: JSON, _ description: String) -> JSON {
        .members(["type": .string("array"), "items": element, "description": .string(description)])
    }

    /// Any object.
    static func map(_ description: String) -> JSON {
        .members(["type": .string("object"), "description": .string(description)])
    }

    /// An object of known members; others are refused in parameters, and allowed in results.
    static func object(
        _ properties: KeyValuePairs<String, JSON>, required: [String] = [], isClosed: Bool = false, _ description: String? = nil
    ) -> JSON {
        .some([
            "type": .string("object"), "description": description.map(JSON.string),
            "properties": .object(properties.map { JSONMember($0.key, $0.value) }),
            "required": required.isEmpty ? nil : .strings(required), "additionalProperties": isClosed ? .bool(false) : nil,
        ])
    }

    /// One of several types.
    static func anyOf(_ schemas: [JSON], _ description: String) -> JSON {
        .members(["anyOf": .array(schemas), "description": .string(description)])
    }

    static func orNull(_ schema: JSON) -> JSON {
        guard let type = schema["type"] else { return schema }
        return schema.adding(["type": .array([type, .string("null")])])
    }
}

// MARK: - Checking values

extension Schema {
    /// What is wrong with a value, each with a JSON Pointer (RFC 6901); nothing when it is as the schema says.
    static func problems(of value: JSON, by schema: JSON, at pointer: String = "") -> [(pointer: String, detail: String)] {
        if let choices = schema["anyOf"]?.arrayValue {
            let all = choices.map { problems(of: value, by: $0, at: pointer) }
            guard !all.contains(where: \.isEmpty) else { return [] }
            // What is wrong with a value of the right type says more than that another type would do.
            let fitting = zip(choices, all).first { isOfAnyType($0.0, value) }
            return fitting?.1 ?? all.first ?? []
        }
        guard isOfAnyType(schema, value) else {
            let types = types(of: schema)
            return [(pointer, "is \(value.kindDescription), it should be of type \(types.joined(separator: " or "))")]
        }
        if let words = schema["enum"]?.arrayValue, !words.contains(value) {
            return [(pointer, "should be one of \(words.map(\.text).joined(separator: ", "))")]
        }
        switch value {
        case .string(let text):
            guard let max = schema["maxLength"]?.intValue, text.unicodeScalars.count > max else { return [] }
            return [(pointer, "has more than \(max) characters")]
        case .number:
            guard let number = value.doubleValue else { return [] }
            let (min, max) = (schema["minimum"]?.doubleValue, schema["maximum"]?.doubleValue)
            guard number < min ?? -.infinity || number > max ?? .infinity else { return [] }
            return [(pointer, "should be \(range(schema["minimum"], schema["maximum"]))")]
        case .array(let elements):
            guard let items = schema["items"] else { return [] }
            return elements.enumerated().flatMap { problems(of: $1, by: items, at: "\(pointer)/\($0)") }
        case .object(let members): return problems(of: members, by: schema, at: pointer)
        case .bool, .null: return []
        }
    }

    private static func problems(
        of members: [JSONMember], by schema: JSON, at pointer: String
    ) -> [(pointer: String, detail: String)] {
        let properties = schema["properties"]
        let names = Set(members.map(\.name))
        let required = schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? []
        var found = required.filter { !names.contains($0) }.map { ("\(pointer)/\($0)", "is missing") }
        for member in members {
            if let property = properties?[member.name] {
                found += problems(of: member.value, by: property, at: "\(pointer)/\(member.name)")
            } else if schema["additionalProperties"] == .bool(false) {
                let known = properties?.objectMembers?.map(\.name).joined(separator: ", ") ?? ""
                found.append(("\(pointer)/\(member.name)", "is not known here; known are: \(known)"))
            }
        }
        return found
    }

    private static func types(of schema: JSON) -> [String] {
        schema["type"].map { $0.arrayValue ?? [$0] }?.compactMap(\.stringValue) ?? []
    }

    private static func isOfAnyType(_ schema: JSON, _ value: JSON) -> Bool {
        let types = types(of: schema)
        return types.isEmpty || types.contains { isOfType($0, value) }
    }

    private static func isOfType(_ type: String, _ value: JSON) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("number", .number), ("boolean", .bool),
            ("null", .null):
            true
        case ("integer", .number): value.intValue != nil
        default: false
        }
    }

    private static func range(_ min: JSON?, _ max: JSON?) -> String {
        switch (min, max) {
        case (let min?, let max?): "from \(min.text) to \(max.text)"
        case (let min?, nil): "at least \(min.text)"
        case (nil, let max?): "at most \(max.text)"
        case (nil, nil): "another number"
        }
    }
}
