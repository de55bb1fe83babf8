/// VERSION SP STATUS SP reason (RFC 9112 §4); a reason that is missing with its space is forgiven, as servers leave it out.
struct StatusLine: Sendable {
    var version: HTTP1Version
    /// 100...599.
    var status: Int

    init(parsing line: Span<UInt8>) throws(HTTP1Error) {
        guard line.count >= 12 else { throw .malformedStatusLine }
        version = try HTTP1Version(parsing: line.extracting(0..<8))
        guard line[8] == 0x20, line.extracting(9..<12).allSatisfy(HTTPSyntax.isDigit) else { throw .malformedStatusLine }
        status = Int(line[9] - 0x30) * 100 + Int(line[10] - 0x30) * 10 + Int(line[11] - 0x30)
        guard (100...599).contains(status) else { throw .malformedStatusLine }
        guard line.count > 12 else { return }
        guard line[12] == 0x20, HTTPSyntax.isFieldValue(line.extracting(13..<line.count)) else { throw .malformedStatusLine }
    }
}
