import TestSupport
import Testing

@testable import TunnelWire

/// Heads of replies on the intake's own stream: binary HTTP (RFC 9292).
struct BinaryReplyTests {
    private static func encode(
        _ status: Int, _ pairs: [(String, String)], contentLength: Int? = nil, isHeadRequest: Bool = false,
        reason: String? = nil
    ) throws(EnvelopeError) -> [UInt8] {
        var bytes: [UInt8] = []
        try ReplyEnvelope.encodeBinary(
            HTTPResponseHead(status: status, fields: HTTPFields(pairs)), contentLength: contentLength,
            isHeadRequest: isHeadRequest, reason: reason, into: &bytes)
        return bytes
    }

    private static func decode(_ bytes: [UInt8], isHeadRequest: Bool = false) throws(EnvelopeError) -> ReplyEnvelope? {
        var reader = BinaryReplyReader(isHeadRequest: isHeadRequest)
        guard case .head(let envelope, _) = try reader.read(bytes.span) else { return nil }
        return envelope
    }

    /// A head with one field line, as any encoder of RFC 9292 would write it.
    private static func head(_ section: [UInt8], status: [UInt8] = [0x40, 200]) -> [UInt8] {
        [1] + status + [0x40 | UInt8(section.count >> 8), UInt8(section.count & 0xFF)] + section
    }

    private static func line(_ name: String, _ value: String) -> [UInt8] {
        [UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
    }

    @Test func `the bytes are those of RFC 9292`() throws {
        let bytes = try Self.encode(200, [("etag", "x")], contentLength: 5)
        let section: [UInt8] = Self.line("content-length", "5") + Self.line("etag", "x")
        #expect(bytes == [1, 0x40, 200, 0x80, 0, 0, UInt8(section.count)] + section)
    }

    @Test func `what was encoded is decoded, however it is cut`() throws {
        try checkProperty { sample in
            let pairs = sample.list(upTo: 6) { sample in
                ("x-" + sample.text(of: "ab-_9", count: 1...6), sample.text(of: "aé ,;", count: 0...90))
            }
            let status = sample.int(in: 200...599)
            let hasBody = status != 204 && status != 304
            let length = sample.optional { $0.int(in: 0...1_000_000) }
            let bytes = try Self.encode(status, pairs, contentLength: length) + Array("body".utf8)
            var reader = BinaryReplyReader(isHeadRequest: false)
            var start = 0
            var found: ReplyEnvelope?
            while found == nil {
                let end = min(bytes.count, start + sample.int(in: 1...40))
                switch try reader.read(bytes.span.extracting(start..<end)) {
                case .needMore: start = end
                case .head(let envelope, let bodyOffset):
                    found = envelope
                    try sample.check(Array(bytes[(start + bodyOffset)...]), is: Array("body".utf8))
                }
            }
            try sample.check(found?.status, is: status)
            try sample.check(found?.contentLength, is: hasBody ? length : nil)
            try sample.check(found?.fields.lines, is: HTTPFields(pairs).lines)
        }
    }

    @Test func `it says the same as a reply of its own`() throws {
        try checkProperty { sample in
            let names = [
                "x-a", "connection", "set-cookie", "transfer-encoding", "inkbox-reason", "x-hop", "keep-alive", "etag",
            ]
            let pairs = sample.list(upTo: 8) { sample in
                (names[sample.int(in: 0...names.count - 1)], sample.text(of: "x-hop,a", count: 0...8))
            }
            let head = HTTPResponseHead(status: sample.int(in: 200...599), fields: HTTPFields(pairs))
            let isHeadRequest = sample.int(in: 0...1) == 1
            var fields = HTTPFields()
            try ReplyEnvelope.encode(
                head, requestID: "r", contentLength: nil, isHeadRequest: isHeadRequest, reason: "own", into: &fields)
            let own = try ReplyEnvelope(decoding: fields, isHeadRequest: isHeadRequest)
            let binary = try Self.decode(
                try Self.encode(head.status, pairs, isHeadRequest: isHeadRequest, reason: "own"), isHeadRequest: isHeadRequest)
            try sample.check(binary?.fields.lines, is: own.fields.lines)
            try sample.check(binary?.announcedLength, is: own.announcedLength)
        }
    }

    @Test func `an answer to HEAD keeps its length, and 204 has none`() throws {
        let head = try Self.decode(try Self.encode(200, [("content-length", "99")], isHeadRequest: true), isHeadRequest: true)
        #expect(head?.announcedLength == 99)
        #expect(head?.contentLength == nil)
        let empty = try Self.decode(Self.head(Self.line("content-length", "99"), status: [0x40, 204]))
        #expect(empty?.announcedLength == nil)
        #expect(empty?.contentLength == nil)
    }

    @Test func `a hostile agent cannot speak for the connection`() throws {
        let section =
            Self.line("connection", "x-hop") + Self.line("x-hop", "1") + Self.line("transfer-encoding", "chunked")
            + Self.line("inkbox-status", "500") + Self.line("a", "1") + Self.line("keep-alive", "1")
        #expect(try Self.decode(Self.head(section))?.fields.lines == ["a: 1"])
    }

    @Test(
        arguments: [
            ([0], .malformedReply), ([2, 0x40, 200, 0], .malformedReply), ([1, 100, 0], .malformedField(.inkboxStatus)),
            ([1, 0x42, 0x58, 0], .malformedField(.inkboxStatus)), (head([1]), .malformedReply),
            (head([9, 0x61, 0]), .malformedReply), (head(line("a", "1\u{1}")), .illegalField),
            (head(line("A", "1")), .illegalField), (head(line("", "1")), .illegalField),
            (head(line("a b", "1")), .illegalField), (head(line("content-length", "x")), .malformedField(.contentLength)),
            (head(line("content-length", "1") + line("content-length", "1")), .repeatedField(.contentLength)),
            (head(line("inkbox-reason", "no token")), .malformedField(.inkboxReason)),
            (head(line("inkbox-reason", "a") + line("inkbox-reason", "a")), .repeatedField(.inkboxReason)),
            (
                [1, 0x40, 200, 0x80, 1, 0, 1],
                .headersTooLarge(byteCount: 65_537, byteCountMax: BinaryReplyReader.fieldSectionByteCountMax)
            ),
        ] as [([UInt8], EnvelopeError)])
    func `a bad head says what is bad`(bytes: [UInt8], error: EnvelopeError) {
        #expect(throws: error) { try Self.decode(bytes) }
    }

    @Test func `a section may be as long as the limit, in pieces too, and have so many fields`() throws {
        let value = String(repeating: "v", count: BinaryReplyReader.fieldSectionByteCountMax - 1 - 1 - 4)
        let bytes = try Self.encode(200, [("a", value)])
        #expect(bytes.count == 7 + BinaryReplyReader.fieldSectionByteCountMax)
        #expect(try Self.decode(bytes)?.fields.first(named: "a") == value)
        var reader = BinaryReplyReader(isHeadRequest: false)
        for byte in bytes.dropLast() {
            guard case .needMore = try reader.read([byte].span) else { Issue.record("it ended early"); return }
        }
        guard case .head(_, 1) = try reader.read([bytes[bytes.count - 1]].span) else { Issue.record("it did not end"); return }
        #expect(throws: EnvelopeError.self) { try Self.encode(200, [("a", value + "v")]) }

        let line = Self.line("a", "1")
        let fields = Array([[UInt8]](repeating: line, count: BinaryReplyReader.fieldCountMax).joined())
        #expect(try Self.decode(Self.head(fields))?.fields.count == BinaryReplyReader.fieldCountMax)
        #expect(throws: EnvelopeError.malformedReply) { try Self.decode(Self.head(fields + line)) }
    }
}
