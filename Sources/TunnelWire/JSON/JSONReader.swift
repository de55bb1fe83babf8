/// Why a text is not JSON, and where.
package struct JSONSyntaxError: Error, Hashable {
    package var reason: String
    /// Counted from 1.
    package var line: Int
    /// Bytes from the start of the line, counted from 1.
    package var column: Int

    package var description: String { "\(reason) at line \(line), column \(column)" }
}

extension JSONValue {
    /// Objects and arrays inside one another that are still read, unless the caller says otherwise.
    package static let depthMax = 64

    /// Reads one JSON text (RFC 8259), strictly: no comments, no trailing commas, no repeated member names (RFC 7493),
    /// no lone surrogates, nothing after the value, and at most `depthMax` levels.
    package init(parsing bytes: [UInt8], depthMax: Int = JSONValue.depthMax) throws(JSONSyntaxError) {
        var reader = JSONReader(bytes: bytes, depthMax: depthMax)
        self = try reader.readText()
    }
}

private struct JSONReader {
    let bytes: [UInt8]
    let depthMax: Int
    var position = 0

    init(bytes: [UInt8], depthMax: Int) {
        self.bytes = bytes
        self.depthMax = depthMax
    }

    mutating func readText() throws(JSONSyntaxError) -> JSONValue {
        skipBlanks()
        guard position < bytes.count else { throw failure("a JSON value is missing") }
        let value = try readValue(depth: 0)
        skipBlanks()
        guard position == bytes.count else { throw failure("there is something after the value") }
        return value
    }

    private mutating func readValue(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        switch try peek("a value") {
        case UInt8(ascii: "{"): return try readObject(depth: depth + 1)
        case UInt8(ascii: "["): return try readArray(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .bool(true))
        case UInt8(ascii: "f"): return try readWord("false", .bool(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try readNumber())
        default: throw failure("a value was expected")
        }
    }
}

// MARK: - Objects and arrays

extension JSONReader {
    private mutating func readObject(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        try checkDepth(depth)
        position += 1
        var members: [JSONMember] = []
        // By bytes: two names that only look alike are two names.
        var seen: Set<[UInt8]> = []
        skipBlanks()
        if skip(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipBlanks()
            let nameStart = position
            guard try peek("a member name") == UInt8(ascii: "\"") else { throw failure("a member name was expected") }
            let name = try readString()
            guard seen.insert(Array(name.utf8)).inserted else {
                throw failure("the same member name stands twice in one object", at: nameStart)
            }
            skipBlanks()
            guard skip(UInt8(ascii: ":")) else { throw failure("a colon was expected") }
            skipBlanks()
            members.append(JSONMember(name, try readValue(depth: depth)))
            skipBlanks()
            if skip(UInt8(ascii: "}")) { return .object(members) }
            guard skip(UInt8(ascii: ",")) else { throw failure("a comma or a closing brace was expected") }
        }
    }

    private mutating func readArray(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        try checkDepth(depth)
        position += 1
        var elements: [JSONValue] = []
        skipBlanks()
        if skip(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            skipBlanks()
            elements.append(try readValue(depth: depth))
            skipBlanks()
            if skip(UInt8(ascii: "]")) { return .array(elements) }
            guard skip(UInt8(ascii: ",")) else { throw failure("a comma or a closing bracket was expected") }
        }
    }

    private func checkDepth(_ depth: Int) throws(JSONSyntaxError) {
        guard depth <= depthMax else {
            throw failure("objects and arrays are nested more than \(depthMax) levels deep")
        }
    }
}

// MARK: - Words and numbers

extension JSONReader {
    private mutating func readWord(_ word: String, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        guard bytes[position...].starts(with: word.utf8) else { throw failure("a value was expected") }
        position += word.utf8.count
        return value
    }

    private mutating func readNumber() throws(JSONSyntaxError) -> String {
        let start = position
        _ = skip(UInt8(ascii: "-"))
        if !skip(UInt8(ascii: "0")) { try skipDigits() }
        if skip(UInt8(ascii: ".")) { try skipDigits() }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
            try skipDigits()
        }
        let digits = String(decoding: bytes[start..<position], as: UTF8.self)
        // Digits are kept as they are, but what no reader could hold would break every later reader (RFC 7493 section 2.2).
        guard Double(digits)?.isFinite == true else { throw failure("a number is out of range", at: start) }
        return digits
    }

    private mutating func skipDigits() throws(JSONSyntaxError) {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { position += 1 }
        guard position > start else { throw failure("a digit was expected") }
    }
}

// MARK: - Strings

extension JSONReader {
    private mutating func readString() throws(JSONSyntaxError) -> String {
        let start = position
        position += 1
        var text: [UInt8] = []
        while true {
            let byte = try peek("the end of a string")
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw failure("a string is not valid UTF-8", at: start)
                }
                return string
            case UInt8(ascii: "\\"):
                try readEscape(into: &text)
            case 0x00..<0x20:
                throw failure("a control character stands unescaped in a string")
            default:
                text.append(byte)
                position += 1
            }
        }
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(JSONSyntaxError) {
        let start = position
        position += 1
        let byte = try peek("the rest of an escape")
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            text.append(contentsOf: String(Character(try readScalar(escapeStart: start))).utf8)
        default: throw failure("an unknown escape stands in a string", at: start)
        }
    }

    /// The scalar of `\u` and four digits, or of a surrogate pair of two such escapes.
    private mutating func readScalar(escapeStart: Int) throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try readHexQuad()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) else {
            throw failure("half a surrogate pair stands alone", at: escapeStart)
        }
        let second = try readHexQuad()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw failure("half a surrogate pair stands alone", at: escapeStart) }
        return scalar
    }

    private mutating func readHexQuad() throws(JSONSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(try peek("four hex digits"))).hexDigitValue else {
                throw failure("four hex digits were expected")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}

// MARK: - Steps

extension JSONReader {
    private func peek(_ expected: String) throws(JSONSyntaxError) -> UInt8 {
        guard position < bytes.count else { throw failure("the text ends where \(expected) was expected") }
        return bytes[position]
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private func failure(_ reason: String, at offset: Int? = nil) -> JSONSyntaxError {
        let before = bytes[..<(offset ?? position)]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONSyntaxError(
            reason: reason, line: before.count { $0 == 0x0A } + 1, column: before.count - lineStart + 1)
    }
}
