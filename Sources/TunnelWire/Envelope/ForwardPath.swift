/// Decides whether a path may be handed to a local program: no way of writing `..` gets through.
///
/// The path is judged decoded and handed on as it came. Refused are encoded slashes and backslashes, anything encoded twice,
/// and, decoded, any segment that is `.` or `..` or has a backslash or a control character. The query is not looked at.
package enum ForwardPath {
    package static func isSafe(_ target: String) -> Bool {
        let all = target.utf8.span
        let path = all.extracting(0..<(all.firstIndex(of: UInt8(ascii: "?")) ?? all.count))
        guard path.firstIndex(of: UInt8(ascii: "%")) != nil else { return areSegmentsSafe(path) }
        guard !hasEncodedSeparator(path), let decoded = decodedOnce(path) else { return false }
        return areSegmentsSafe(decoded.span)
    }

    private static func hasEncodedSeparator(_ path: Span<UInt8>) -> Bool {
        var index = 0
        while let percent = path.firstIndex(of: UInt8(ascii: "%"), from: index) {
            if let byte = encodedByte(path, at: percent), byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") {
                return true
            }
            index = percent + 1
        }
        return false
    }

    /// The path without percent-encoding, or nil when a second decoding would change it again.
    private static func decodedOnce(_ path: Span<UInt8>) -> [UInt8]? {
        let decoded = percentDecoded(path)
        let isStable = percentDecoded(decoded.span) == decoded
        return isStable ? decoded : nil
    }

    private static func percentDecoded(_ path: Span<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(path.count)
        var index = 0
        while index < path.count {
            if let byte = encodedByte(path, at: index) {
                decoded.append(byte)
                index += 3
            } else {
                decoded.append(path[index])
                index += 1
            }
        }
        return decoded
    }

    private static func encodedByte(_ path: Span<UInt8>, at index: Int) -> UInt8? {
        guard path[index] == UInt8(ascii: "%"), index + 2 < path.count,
            let high = HTTPSyntax.hexValue(path[index + 1]), let low = HTTPSyntax.hexValue(path[index + 2])
        else { return nil }
        return high << 4 | low
    }

    private static func areSegmentsSafe(_ path: Span<UInt8>) -> Bool {
        var start = 0
        while start <= path.count {
            let end = path.firstIndex(of: UInt8(ascii: "/"), from: start) ?? path.count
            let segment = path.extracting(start..<end)
            guard !segment.equals("."), !segment.equals(".."), segment.allSatisfy(isOrdinary) else { return false }
            start = end + 1
        }
        return true
    }

    private static func isOrdinary(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F && byte != UInt8(ascii: "\\")
    }
}
