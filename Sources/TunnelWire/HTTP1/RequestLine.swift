/// METHOD SP TARGET SP VERSION (RFC 9112 §3), taken apart and turned to origin-form.
struct RequestLine: Sendable {
    var method: String
    /// Path and query, `*`, or empty for CONNECT.
    var target: String
    /// The host that an absolute URL or CONNECT names; must agree with Host.
    var authority: String?
    var version: HTTP1Version

    init(parsing line: Span<UInt8>, limits: HTTP1Limits) throws(HTTP1Error) {
        guard let methodEnd = line.firstIndex(of: 0x20) else { throw .malformedRequestLine }
        let targetStart = methodEnd + 1
        guard let targetEnd = line.firstIndex(of: 0x20, from: targetStart) else { throw .malformedRequestLine }
        let methodBytes = line.extracting(0..<methodEnd)
        guard methodEnd <= limits.methodByteCountMax, HTTPSyntax.isToken(methodBytes) else { throw .illegalMethod }
        guard targetEnd > targetStart else { throw .malformedRequestLine }
        guard targetEnd - targetStart <= limits.targetByteCountMax else { throw .targetTooLong }
        let targetBytes = line.extracting(targetStart..<targetEnd)
        guard HTTPSyntax.isTarget(targetBytes) else { throw .illegalTarget }
        version = try HTTP1Version(parsing: line.extracting(targetEnd + 1..<line.count))
        method = String(decodingLossily: methodBytes)
        target = ""
        try setTarget(targetBytes, isConnect: methodBytes.equals("CONNECT"))
    }

    private mutating func setTarget(_ bytes: Span<UInt8>, isConnect: Bool) throws(HTTP1Error) {
        if isConnect { return try setAuthorityForm(bytes) }
        if bytes[0] == UInt8(ascii: "/") {
            target = String(decodingLossily: bytes)
        } else if bytes.equals("*") {
            guard method == "OPTIONS" else { throw .illegalTarget }
            target = "*"
        } else {
            try setAbsoluteForm(bytes)
        }
    }

    private mutating func setAuthorityForm(_ bytes: Span<UInt8>) throws(HTTP1Error) {
        guard let parts = HostAndPort.parts(of: bytes), parts.port != nil else { throw .illegalTarget }
        authority = String(decodingLossily: bytes)
    }

    private mutating func setAbsoluteForm(_ bytes: Span<UInt8>) throws(HTTP1Error) {
        let start: Int
        if bytes.count > 7, bytes.extracting(0..<7).equalsIgnoringCase("http://") {
            start = 7
        } else if bytes.count > 8, bytes.extracting(0..<8).equalsIgnoringCase("https://") {
            start = 8
        } else {
            throw .illegalTarget
        }
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end += 1 }
        let host = bytes.extracting(start..<end)
        guard HostAndPort.isLegal(host) else { throw .illegalTarget }
        authority = String(decodingLossily: host)
        target = originForm(bytes.extracting(end..<bytes.count))
    }

    /// RFC 9112 §3.2.1 and §3.2.4: an empty path becomes `/`, or `*` for OPTIONS without a query.
    private func originForm(_ rest: Span<UInt8>) -> String {
        if rest.isEmpty { return method == "OPTIONS" ? "*" : "/" }
        let text = String(decodingLossily: rest)
        return rest[0] == UInt8(ascii: "/") ? text : "/" + text
    }
}

extension HTTP1Version {
    /// `HTTP/` digit `.` digit, in capitals (RFC 9112 §2.3).
    init(parsing text: Span<UInt8>) throws(HTTP1Error) {
        guard text.count == 8, text.extracting(0..<5).equals("HTTP/"), HTTPSyntax.isDigit(text[5]),
            text[6] == UInt8(ascii: "."), HTTPSyntax.isDigit(text[7])
        else { throw .malformedVersion }
        guard text[5] == 0x31 else { throw .unsupportedVersion }
        switch text[7] {
        case 0x30: self = .http10
        case 0x31: self = .http11
        default: throw .unsupportedVersion
        }
    }
}
