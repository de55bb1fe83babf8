/// Writes JSON text (RFC 8259) member by member; commas are its own affair.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    /// A value was just finished on this level, so that the next one needs a comma before it.
    private var needsComma = false

    package init() {}

    package mutating func beginObject() { open("{") }
    package mutating func endObject() { close("}") }
    package mutating func beginArray() { open("[") }
    package mutating func endArray() { close("]") }

    /// Writes a member's name; its value must follow.
    package mutating func name(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func string(_ value: String) {
        separate()
        quote(value)
        needsComma = true
    }

    package mutating func integer(_ value: Int) { literal(String(value)) }
    /// Writes a number whose text is valid JSON already.
    package mutating func number(_ text: String) { literal(text) }
    /// Writes a value whose text is valid JSON already.
    package mutating func json(_ text: String) { literal(text) }
    package mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }
    package mutating func null() { literal("null") }

    private mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    private mutating func open(_ bracket: Unicode.Scalar) {
        separate()
        bytes.append(UInt8(ascii: bracket))
        needsComma = false
    }

    private mutating func close(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 { append(escaping: byte) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Escapes what must be: quote, backslash, and everything below space (RFC 8259 §7).
    private mutating func append(escaping byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): escape("\"")
        case UInt8(ascii: "\\"): escape("\\")
        case 0x08: escape("b")
        case 0x09: escape("t")
        case 0x0A: escape("n")
        case 0x0C: escape("f")
        case 0x0D: escape("r")
        case 0x00..<0x20:
            escape("u")
            bytes.append(contentsOf: [0x30, 0x30, byte < 0x10 ? 0x30 : 0x31])
            let low = byte & 0x0F
            bytes.append(low < 10 ? 0x30 + low : 0x61 + low - 10)
        default: bytes.append(byte)
        }
    }

    private mutating func escape(_ letter: Unicode.Scalar) {
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(UInt8(ascii: letter))
    }
}
