import TestSupport
import Testing

@testable import TunnelWire

struct RequestEnvelopeTests {
    private static let context = RequestEnvelopeContext(requestID: "r1", forwardedFor: "192.0.2.7")

    private static func head(_ pairs: [(String, String)], method: String = "GET", target: String = "/a?b") -> HTTPRequestHead {
        HTTPRequestHead(method: method, target: target, authority: "a", fields: HTTPFields(pairs))
    }

    private static func encode(
        _ head: HTTPRequestHead, _ context: RequestEnvelopeContext = context, headerListByteCountMax: Int = 65_536
    ) throws(EnvelopeError) -> HTTPFields {
        var fields = HTTPFields()
        try RequestEnvelope.encode(head, context, headerListByteCountMax: headerListByteCountMax, into: &fields)
        return fields
    }

    @Test func `an envelope carries the request and what the server knows`() throws {
        let fields = try Self.encode(
            Self.head([
                ("Host", "a"), ("Accept", "*/*"), ("Connection", "keep-alive, X-Mine"), ("X-Mine", "1"), ("X-Two", "1"),
                ("X-Two", "2"), ("X-Forwarded-For", "6.6.6.6"), ("inkbox-status", "200"), ("Content-Length", "3"),
            ]))
        #expect(
            fields.lines == [
                "inkbox-request-id: r1", "inkbox-method: GET", "inkbox-path: /a?b", "inkbox-route-kind: webhook",
                "inkbox-forwarded-for: 192.0.2.7", "inkbox-h-accept: */*", "inkbox-h-x-two: 1", "inkbox-h-x-two: 2",
                "inkbox-h-content-length: 3",
            ])
    }

    @Test func `the ids of bridges are named`() throws {
        let socket = RequestEnvelopeContext(
            requestID: "r", routeKind: .webSocketUpgrade, webSocketID: "w1", forwardedFor: "::1")
        let lines = try Self.encode(Self.head([("Upgrade", "websocket"), ("Sec-WebSocket-Protocol", "chat")]), socket).lines
        #expect(lines.contains("inkbox-route-kind: ws-upgrade"))
        #expect(lines.contains("inkbox-ws-id: w1"))
        #expect(lines.last == "inkbox-h-sec-websocket-protocol: chat")
        let stream = RequestEnvelopeContext(
            requestID: "r", routeKind: .tcpStream, tcpID: "t1", sniHost: "a.b", forwardedFor: "::1")
        let decoded = try RequestEnvelope(decoding: try Self.encode(Self.head([]), stream))
        #expect(decoded.tcpID == "t1")
        #expect(decoded.sniHost == "a.b")
    }

    @Test func `cookie crumbs become one field where the first one stood`() throws {
        let lines = try Self.encode(Self.head([("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")])).lines
        #expect(Array(lines.suffix(2)) == ["inkbox-h-cookie: a=1; b=2; c=3", "inkbox-h-x: y"])
    }

    @Test func `a value that is not UTF-8 is refused unless the agent reads bytes`() throws {
        var fields = HTTPFields()
        let (name, latin) = (Array("x".utf8), Array("quite long caf".utf8) + [0xE9])
        fields.append(name: name.span, value: latin.span)
        let head = HTTPRequestHead(method: "GET", target: "/", authority: "a", fields: fields)
        #expect(throws: EnvelopeError.invalidHeader) { try Self.encode(head) }
        var context = Self.context
        context.allowsOpaqueValues = true
        #expect(try Self.encode(head, context).count == 6)
        #expect(try Self.encode(Self.head([("x", "quite long café")])).first(named: "inkbox-h-x") == "quite long café")
    }

    @Test func `the budget counts names, values and 32 for each, and the status`() throws {
        let head = Self.head([("x", "y")])
        let byteCount = 42 + (try Self.encode(head).pairs.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 })
        #expect(throws: Never.self) { try Self.encode(head, headerListByteCountMax: byteCount) }
        #expect(throws: EnvelopeError.headersTooLarge(byteCount: byteCount, byteCountMax: byteCount - 1)) {
            try Self.encode(head, headerListByteCountMax: byteCount - 1)
        }
    }

    @Test(arguments: [("G T", "/"), ("GET", "/ b"), ("GET", ""), ("", "/"), ("GET", "/\r\n"), ("GET", "/#")])
    func `a request line that HTTP does not allow is refused`(method: String, target: String) {
        #expect(throws: EnvelopeError.invalidRequestLine) { try Self.encode(Self.head([], method: method, target: target)) }
    }

    @Test func `what was encoded is decoded`() throws {
        try checkProperty { sample in
            let pairs = sample.list(upTo: 6) { sample in
                ("x-" + sample.text(of: "ab-_9", count: 1...6), sample.text(of: "aé ,;", count: 0...9))
            }
            let head = Self.head(pairs, method: sample.element(of: ["GET", "POST", "X-Y"]), target: "/a%2e?b")
            let envelope = try RequestEnvelope(decoding: try Self.encode(head))
            try sample.check(envelope.fields.lines, is: head.fields.lines)
            try sample.check(envelope.method, is: head.method)
            try sample.check(envelope.path, is: head.target)
            try sample.check(envelope.forwardedFor, is: "192.0.2.7")
        }
    }

    @Test func `the length is taken out of the fields`() throws {
        let envelope = try RequestEnvelope(decoding: try Self.encode(Self.head([("content-length", "12"), ("x", "y")])))
        #expect(envelope.contentLength == 12)
        #expect(envelope.fields.lines == ["x: y"])
    }

    private static let least = [
        ("inkbox-request-id", "r"), ("inkbox-method", "GET"), ("inkbox-path", "/"), ("inkbox-route-kind", "webhook"),
    ]

    @Test func `a hostile server cannot make the agent send more than a request`() throws {
        let fields = HTTPFields(
            Self.least + [
                ("inkbox-h-connection", "x-a"), ("inkbox-h-x-a", "1"), ("inkbox-h-host", "evil"),
                ("inkbox-h-transfer-encoding", "chunked"), ("inkbox-h-x-forwarded-for", "6.6.6.6"), ("inkbox-new", "?"),
                ("x-plain", "?"), ("inkbox-h-x-b", "2"),
            ])
        #expect(try RequestEnvelope(decoding: fields).fields.lines == ["x-b: 2"])
    }

    @Test(
        arguments: [
            ([("inkbox-request-id", "s")], .repeatedField(.inkboxRequestId)),
            ([("inkbox-path", "/b")], .repeatedField(.inkboxPath)),
            ([("inkbox-h-", "x")], .illegalField), ([("inkbox-h-a b", "x")], .illegalField),
            ([("inkbox-h-:path", "x")], .illegalField),
            ([("inkbox-h-a", "x\r\ny")], .illegalField), ([("inkbox-h-a", "\u{0}")], .illegalField),
            ([("inkbox-h-content-length", "+1")], .malformedField(.contentLength)),
            ([("inkbox-h-content-length", "1"), ("inkbox-h-content-length", "1")], .repeatedField(.contentLength)),
        ] as [([(String, String)], EnvelopeError)])
    func `a broken envelope is refused`(pairs: [(String, String)], error: EnvelopeError) {
        #expect(throws: error) { try RequestEnvelope(decoding: HTTPFields(Self.least + pairs)) }
    }

    @Test(
        arguments: [
            ("inkbox-request-id", nil, .missingField(.inkboxRequestId)), ("inkbox-method", nil, .missingField(.inkboxMethod)),
            ("inkbox-path", nil, .missingField(.inkboxPath)), ("inkbox-route-kind", nil, .missingField(.inkboxRouteKind)),
            ("inkbox-request-id", "a/b", .malformedField(.inkboxRequestId)),
            ("inkbox-method", "G T", .malformedField(.inkboxMethod)),
            ("inkbox-path", "a", .malformedField(.inkboxPath)), ("inkbox-path", "/ ", .malformedField(.inkboxPath)),
            ("inkbox-path", "http://a/", .malformedField(.inkboxPath)),
            ("inkbox-route-kind", "x", .malformedField(.inkboxRouteKind)),
            ("inkbox-route-kind", "ws-upgrade", .missingField(.inkboxWsId)),
            ("inkbox-route-kind", "tcp-stream", .missingField(.inkboxTcpId)),
        ] as [(String, String?, EnvelopeError)])
    func `an envelope without its own fields is refused`(name: String, value: String?, error: EnvelopeError) {
        let pairs = Self.least.compactMap { $0.0 == name ? value.map { (name, $0) } : $0 }
        #expect(throws: error) { try RequestEnvelope(decoding: HTTPFields(pairs)) }
    }
}
