extension JSONValue {
    /// The shortest text of this value in UTF-8, members in their order; the same value always gives the same bytes.
    package var serialized: [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes
    }
}

extension JSONWriter {
    /// Writes a whole value.
    package mutating func write(_ value: JSONValue) {
        switch value {
        case .object(let members):
            beginObject()
            for member in members {
                name(member.name)
                write(member.value)
            }
            endObject()
        case .array(let elements):
            beginArray()
            for element in elements { write(element) }
            endArray()
        case .string(let text): string(text)
        case .number(let digits): number(digits)
        case .bool(let isTrue): bool(isTrue)
        case .null: null()
        }
    }
}
