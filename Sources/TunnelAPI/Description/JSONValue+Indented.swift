package import TunnelWire

extension JSONValue {
    /// The text of this value over several lines, for files that people compare; two spaces for each level.
    package var indented: String {
        var text = ""
        write(into: &text, indentation: "")
        return text
    }

    private func write(into text: inout String, indentation: String) {
        let inner = indentation + "  "
        switch self {
        case .object(let members) where !members.isEmpty:
            text += "{\n"
            for (index, member) in members.enumerated() {
                text += index == 0 ? inner : ",\n" + inner
                text += JSONValue.string(member.name).compact + ": "
                member.value.write(into: &text, indentation: inner)
            }
            text += "\n" + indentation + "}"
        case .array(let elements) where !elements.isEmpty:
            text += "[\n"
            for (index, element) in elements.enumerated() {
                text += index == 0 ? inner : ",\n" + inner
                element.write(into: &text, indentation: inner)
            }
            text += "\n" + indentation + "]"
        case .object, .array, .string, .number, .bool, .null: text += compact
        }
    }

    private var compact: String { String(decoding: serialized, as: UTF8.self) }
}
