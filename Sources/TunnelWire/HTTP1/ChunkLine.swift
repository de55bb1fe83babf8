/// The line before a chunk: its size in hexadecimal and extensions that nobody reads (RFC 9112 §7.1).
enum ChunkLine {
    /// Sixteen digits with leading zeros, of which at most fifteen count, so that a size always fits.
    static let digitCountMax = 16

    /// The size; extensions are checked and dropped.
    static func size(_ line: Span<UInt8>) throws(HTTP1Error) -> Int {
        var size = 0
        var index = 0
        while index < line.count, let digit = HTTPSyntax.hexValue(line[index]) {
            guard index < digitCountMax, size < 1 << 56 else { throw .malformedChunkSize }
            size = size << 4 | Int(digit)
            index += 1
        }
        guard index > 0 else { throw .malformedChunkSize }
        guard index < line.count else { return size }
        guard line[index] == UInt8(ascii: ";") else { throw .malformedChunkSize }
        try checkExtensions(line, from: index)
        return size
    }

    /// `;name`, `;name=token` or `;name="quoted"`, any number of them, without blanks around the signs.
    private static func checkExtensions(_ line: Span<UInt8>, from start: Int) throws(HTTP1Error) {
        var index = start
        while index < line.count {
            guard line[index] == UInt8(ascii: ";") else { throw .malformedChunkExtension }
            index = try tokenEnd(line, from: index + 1)
            guard index < line.count, line[index] == UInt8(ascii: "=") else { continue }
            index += 1
            if index < line.count, line[index] == UInt8(ascii: "\"") {
                index = try quotedEnd(line, from: index + 1)
            } else {
                index = try tokenEnd(line, from: index)
            }
        }
    }

    private static func tokenEnd(_ line: Span<UInt8>, from start: Int) throws(HTTP1Error) -> Int {
        var index = start
        while index < line.count, HTTPSyntax.isToken(line[index]) { index += 1 }
        guard index > start else { throw .malformedChunkExtension }
        return index
    }

    private static func quotedEnd(_ line: Span<UInt8>, from start: Int) throws(HTTP1Error) -> Int {
        var index = start
        while index < line.count {
            if line[index] == UInt8(ascii: "\"") { return index + 1 }
            if line[index] == UInt8(ascii: "\\") { index += 1 }
            guard index < line.count, HTTPSyntax.isFieldValue(line[index]) else { throw .malformedChunkExtension }
            index += 1
        }
        throw .malformedChunkExtension
    }
}
