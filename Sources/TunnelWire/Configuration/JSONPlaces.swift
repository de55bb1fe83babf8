/// Finds where in a JSON text a value stands, so that a mistake can be told with its line.
package struct JSONPlaces {
    private let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    package struct Place: Equatable {
        /// Counted from 1.
        package var line: Int
        /// Counted from 1, in bytes.
        package var column: Int

        package init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }
    }

    /// The beginning of the value at the pointer; of the nearest value around it when there is none.
    package func place(of pointer: JSONPointer) -> Place {
        var walk = Walk(bytes: bytes)
        walk.skipBlanks()
        for token in pointer.tokens where !walk.enter(token) { break }
        let before = bytes[..<min(walk.position, bytes.count)]
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return Place(line: before.count { $0 == UInt8(ascii: "\n") } + 1, column: before.count - start + 1)
    }

    /// Steps over a text that has been read before, and so is JSON.
    private struct Walk {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var byte: UInt8 { position < bytes.count ? bytes[position] : 0 }

        mutating func skipBlanks() { while [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 } }

        /// Goes to the member's or element's value; stays where it is when there is none.
        mutating func enter(_ token: String) -> Bool {
            let start = position
            let isObject = byte == UInt8(ascii: "{")
            guard isObject || byte == UInt8(ascii: "[") else { return false }
            position += 1
            var index = 0
            while true {
                skipBlanks()
                if byte == UInt8(ascii: ",") {
                    position += 1
                    skipBlanks()
                }
                guard position < bytes.count, byte != UInt8(ascii: "}"), byte != UInt8(ascii: "]") else { break }
                var name = String(index)
                if isObject {
                    let nameStart = position
                    skipValue()
                    if case .string(let text)? = try? JSONValue(parsing: Array(bytes[nameStart..<position])) { name = text }
                    skipBlanks()
                    position += 1
                    skipBlanks()
                }
                if name == token { return true }
                skipValue()
                index += 1
            }
            position = start
            return false
        }

        mutating func skipValue() {
            var depth = 0
            repeat {
                switch byte {
                case UInt8(ascii: "\""): skipString()
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    position += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    position += 1
                case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D: position += 1
                default:
                    while position < bytes.count, !Self.ends.contains(byte) { position += 1 }
                }
            } while depth > 0 && position < bytes.count
        }

        private static let ends = Set(",:{}[] \t\r\n".utf8)

        private mutating func skipString() {
            position += 1
            while position < bytes.count, byte != UInt8(ascii: "\"") { position += byte == UInt8(ascii: "\\") ? 2 : 1 }
            position += 1
        }
    }
}
