/// The header lines before a body (base protocol of the Language Server Protocol).
enum JSONRPCHeader {
    private static let lengthName = Array("content-length".utf8)

    /// The announced length of the body.
    ///
    /// Lines end in CR LF, or in LF alone; names are compared without case. Twice the same field is once too many.
    static func bodyByteCount(_ header: ArraySlice<UInt8>) -> Result<Int, JSONRPCError> {
        var byteCount: Int?
        for line in header.split(separator: 0x0A) where !line.allSatisfy({ $0 == 0x0D }) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
                return .failure(.parseError("a header line has no colon"))
            }
            let value = trimmed(line[(colon + 1)...])
            switch String(decoding: line[..<colon], as: UTF8.self).lowercased() {
            case "content-length":
                guard byteCount == nil else { return .failure(.parseError("Content-Length stands there twice")) }
                guard !value.isEmpty, value.count <= 18, value.allSatisfy({ (0x30...0x39).contains($0) }),
                    let number = Int(String(decoding: value, as: UTF8.self))
                else { return .failure(.parseError("the value of Content-Length is not a number of bytes")) }
                byteCount = number
            case "content-type":
                guard isUTF8(String(decoding: value, as: UTF8.self).lowercased()) else {
                    return .failure(.parseError("only UTF-8 is understood; leave Content-Type out"))
                }
            default: break
            }
        }
        return byteCount.map { .success($0) } ?? .failure(.parseError("the header has no Content-Length"))
    }

    private static func isUTF8(_ contentType: String) -> Bool {
        guard let mark = contentType.firstRange(of: "charset=") else { return true }
        let charset = contentType[mark.upperBound...].prefix { $0 != ";" && $0 != " " }.filter { $0 != "\"" }
        // "utf8" is what the first implementations wrote.
        return charset == "utf-8" || charset == "utf8"
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var bytes = bytes.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return bytes
    }
}

// MARK: - Finding the next one

extension JSONRPCHeader {
    enum Search: Equatable {
        /// A `Content-Length` line begins at this index.
        case found(at: Int)
        /// One may begin at this index: more bytes will tell.
        case possible(at: Int)
        case absent
    }

    /// Looks for a whole `Content-Length: digits` line.
    static func search(_ bytes: ArraySlice<UInt8>, isAtEnd: Bool) -> Search {
        var position = bytes.startIndex
        while position < bytes.endIndex {
            guard bytes[position] | 0x20 == lengthName[0] else {
                position += 1
                continue
            }
            switch match(bytes[position...]) {
            case true?: return .found(at: position)
            case nil where !isAtEnd: return .possible(at: position)
            case false?, nil: position += 1
            }
        }
        return .absent
    }

    /// Whether the bytes begin with such a line; nil when they end too early to tell.
    private static func match(_ bytes: ArraySlice<UInt8>) -> Bool? {
        let count = min(bytes.count, lengthName.count)
        for (byte, expected) in zip(bytes, lengthName) where byte | 0x20 != expected && byte != expected { return false }
        guard count == lengthName.count else { return nil }
        var rest = bytes.dropFirst(count)
        guard let colon = rest.popFirst() else { return nil }
        guard colon == UInt8(ascii: ":") else { return false }
        rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest.dropFirst(digits.count).drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        guard let end = rest.first else { return bytes.count < 256 ? nil : false }
        return end == 0x0A && !digits.isEmpty
    }
}
