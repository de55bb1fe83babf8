import TestSupport
import Testing

@testable import TunnelWire

struct ReplyEnvelopeTests {
    private static func encode(
        _ status: Int, _ pairs: [(String, String)], contentLength: Int? = nil, isHeadRequest: Bool = false,
        reason: String? = nil
    ) throws(EnvelopeError) -> HTTPFields {
        var fields = HTTPFields()
        try ReplyEnvelope.encode(
            HTTPResponseHead(status: status, fields: HTTPFields(pairs)), requestID: "r1", contentLength: contentLength,
            isHeadRequest: isHeadRequest, reason: reason, into: &fields)
        return fields
    }

    private static func decode(_ pairs: [(String, String)], isHeadRequest: Bool = false) throws(EnvelopeError) -> ReplyEnvelope
    {
        try ReplyEnvelope(decoding: HTTPFields(pairs), isHeadRequest: isHeadRequest)
    }

    @Test func `a reply carries status, length and the origin's own fields`() throws {
        let fields = try Self.encode(
            201,
            [
                ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Connection", "close, X-Hop"), ("X-Hop", "1"),
                ("Keep-Alive", "5"),
                ("Transfer-Encoding", "chunked"), ("Content-Length", "9"), ("Inkbox-Reason", "forged"), ("Date", "now"),
            ], contentLength: 5, reason: "upstream-error")
        #expect(
            fields.lines == [
                "inkbox-status: 201", "inkbox-request-id: r1", "content-length: 5", "inkbox-h-inkbox-reason: upstream-error",
                "inkbox-h-set-cookie: a=1", "inkbox-h-set-cookie: b=2", "inkbox-h-date: now",
            ])
    }

    @Test func `a length without a body is carried as a field`() throws {
        let fields = try Self.encode(200, [("content-length", "99")], contentLength: 0, isHeadRequest: true)
        let reply = try ReplyEnvelope(decoding: fields, isHeadRequest: true)
        #expect(reply.announcedLength == 99)
        #expect(reply.contentLength == 0)
        #expect(reply.fields.isEmpty)
    }

    @Test(arguments: [0, 100, 101, 199, 600])
    func `an agent sends final statuses only`(status: Int) {
        #expect(throws: EnvelopeError.malformedField(.inkboxStatus)) { try Self.encode(status, []) }
    }

    @Test func `what was encoded is decoded`() throws {
        try checkProperty { sample in
            let pairs = sample.list(upTo: 6) { sample in
                ("x-" + sample.text(of: "ab-_9", count: 1...6), sample.text(of: "aé ,;", count: 0...9))
            }
            let status = sample.int(in: 200...599)
            let length = status == 204 || status == 304 ? nil : sample.optional { $0.int(in: 0...1_000_000) }
            let reply = try ReplyEnvelope(
                decoding: try Self.encode(status, pairs, contentLength: length), isHeadRequest: false)
            try sample.check(reply.status, is: status)
            try sample.check(reply.contentLength, is: length)
            try sample.check(reply.fields.lines, is: HTTPFields(pairs).lines)
        }
    }

    @Test func `a hostile agent cannot speak for the connection`() throws {
        let reply = try Self.decode([
            ("inkbox-status", "200"), ("inkbox-h-connection", "x-hop"), ("inkbox-h-x-hop", "1"),
            ("inkbox-h-transfer-encoding", "chunked"), ("inkbox-h-upgrade", "h2c"), ("inkbox-h-inkbox-status", "500"),
            ("inkbox-h-inkbox-h-a", "b"), ("x-tunnel-secret", "tnl_x"), ("inkbox-h-a", "1"), ("inkbox-h-keep-alive", "1"),
        ])
        #expect(reply.fields.lines == ["a: 1"])
    }

    @Test(arguments: ["inkbox-reason", "inkbox-h-inkbox-reason"])
    func `the agent's reason is passed on in either spelling`(name: String) throws {
        let reply = try Self.decode([("inkbox-status", "400"), (name, "invalid-path")])
        #expect(reply.fields.lines == ["inkbox-reason: invalid-path"])
    }

    @Test(
        arguments: [
            ([], .missingField(.inkboxStatus)),
            ([("inkbox-status", "200"), ("inkbox-status", "200")], .repeatedField(.inkboxStatus)),
            ([("inkbox-status", "20")], .malformedField(.inkboxStatus)),
            ([("inkbox-status", "+20")], .malformedField(.inkboxStatus)),
            ([("inkbox-status", "0200")], .malformedField(.inkboxStatus)),
            ([("inkbox-status", "2e2")], .malformedField(.inkboxStatus)),
            ([("inkbox-status", "101")], .malformedField(.inkboxStatus)),
            ([("inkbox-status", "600")], .malformedField(.inkboxStatus)),
            ([("inkbox-status", "200"), ("content-length", "x")], .malformedField(.contentLength)),
            ([("inkbox-status", "200"), ("content-length", "1"), ("inkbox-h-content-length", "2")], .lengthMismatch),
            ([("inkbox-status", "200"), ("content-length", "0"), ("inkbox-h-content-length", "2")], .lengthMismatch),
            ([("inkbox-status", "204"), ("content-length", "1")], .lengthMismatch),
            ([("inkbox-status", "304"), ("content-length", "1")], .lengthMismatch),
            (
                [("inkbox-status", "200"), ("inkbox-h-content-length", "2"), ("inkbox-h-content-length", "2")],
                .repeatedField(.contentLength)
            ),
            ([("inkbox-status", "200"), ("inkbox-h-a\r\nb", "1")], .illegalField),
            ([("inkbox-status", "200"), ("inkbox-h-", "1")], .illegalField),
            ([("inkbox-status", "200"), ("inkbox-h-:status", "1")], .illegalField),
            ([("inkbox-status", "200"), ("inkbox-h-a", "\r\n")], .illegalField),
            ([("inkbox-status", "200"), ("inkbox-h-a", "\u{0}")], .illegalField),
            ([("inkbox-status", "200"), ("inkbox-h-inkbox-reason", "two words")], .malformedField(.inkboxReason)),
            ([("inkbox-status", "200"), ("inkbox-h-inkbox-reason", "")], .malformedField(.inkboxReason)),
        ] as [([(String, String)], EnvelopeError)])
    func `a broken reply is refused`(pairs: [(String, String)], error: EnvelopeError) {
        #expect(throws: error) { try Self.decode(pairs) }
        #expect(error.status == 502)
    }

    @Test(
        arguments: [
            ("200", false, "5", "5", 5, nil), ("200", false, nil, "5", 5, nil), ("200", false, "5", nil, 5, nil),
            ("200", false, nil, nil, nil, nil), ("200", true, "0", "5", 0, 5), ("304", false, "0", "5", 0, 5),
            ("304", false, nil, "5", nil, 5), ("204", false, "0", "5", 0, nil), ("204", false, nil, nil, nil, nil),
        ] as [(String, Bool, String?, String?, Int?, Int?)])
    func `lengths of stream and origin are settled`(
        status: String, isHead: Bool, stream: String?, origin: String?, contentLength: Int?, announced: Int?
    ) throws {
        var pairs = [("inkbox-status", status)]
        if let stream { pairs.append(("content-length", stream)) }
        if let origin { pairs.append(("inkbox-h-content-length", origin)) }
        let reply = try Self.decode(pairs, isHeadRequest: isHead)
        #expect(reply.contentLength == contentLength)
        #expect(reply.announcedLength == announced)
    }
}
