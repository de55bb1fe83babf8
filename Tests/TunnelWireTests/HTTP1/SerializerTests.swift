import Testing

@testable import TunnelWire

struct SerializerTests {
    @Test func `a request is its line, its host, its fields and its framing`() throws {
        let fields = HTTPFields([
            ("Host", "evil"), ("Accept", "*/*"), ("Content-Length", "9"), ("Connection", "x"), ("Transfer-Encoding", "gzip"),
            ("Keep-Alive", "1"), ("Proxy-Connection", "y"), ("Upgrade", "z"), ("X-A", ""),
        ])
        let head = HTTPRequestHead(method: "POST", target: "/a?b", authority: "a:80", fields: fields)
        var output = Array("before ".utf8)
        try HTTP1Serializer.appendRequestHead(head, framing: .length(3), into: &output)
        #expect(
            String(decoding: output, as: UTF8.self)
                == "before POST /a?b HTTP/1.1\r\nhost: a:80\r\naccept: */*\r\nx-a: \r\ncontent-length: 3\r\n\r\n")
    }

    @Test(
        arguments: [
            (.nothing, .lasting, ""), (.length(0), .lasting, "content-length: 0\r\n"),
            (.chunked, .close, "transfer-encoding: chunked\r\nconnection: close\r\n"),
            (.untilClose, .lasting, "connection: close\r\n"), (.untilClose, .keepAlive, "connection: close\r\n"),
            (.nothing, .keepAlive, "connection: keep-alive\r\n"), (.nothing, .nominatingTE, "connection: te\r\n"),
            (.nothing, .upgrade("websocket"), "connection: upgrade\r\nupgrade: websocket\r\n"),
            (.length(Int.max), .lasting, "content-length: 9223372036854775807\r\n"),
        ] as [(HTTP1Framing, HTTP1Connection, String)])
    func `a response says framing and connection as told`(
        framing: HTTP1Framing, connection: HTTP1Connection, expected: String
    ) throws {
        var output: [UInt8] = []
        let head = HTTPResponseHead(status: 200, fields: HTTPFields([("a", "b")]))
        try HTTP1Serializer.appendResponseHead(head, framing: framing, connection: connection, into: &output)
        #expect(String(decoding: output, as: UTF8.self) == "HTTP/1.1 200 OK\r\na: b\r\n\(expected)\r\n")
    }

    @Test func `a status without a phrase keeps its space`() throws {
        var output: [UInt8] = []
        try HTTP1Serializer.appendResponseHead(HTTPResponseHead(status: 599), framing: .nothing, into: &output)
        #expect(String(decoding: output, as: UTF8.self) == "HTTP/1.1 599 \r\n\r\n")
    }

    @Test func `every field of an unfriendly agent is checked at the pen`() throws {
        for byte in UInt8.min...UInt8.max {
            let text = Array("ab".utf8) + [byte] + Array("cd, a value of more than eight bytes".utf8)
            var fields = HTTPFields()
            fields.append(name: Array("x".utf8).span, value: text.span)
            expect(isWritten: HTTPSyntax.isFieldValue(byte), fields)
            fields = HTTPFields()
            let name = [0x61, byte]
            fields.append(name: name.span, value: name.span.extracting(0..<0))
            expect(isWritten: HTTPSyntax.isToken(byte), fields)
        }
        expect(isWritten: false, HTTPFields([("", "x")]))
    }

    private func expect(isWritten: Bool, _ fields: HTTPFields) {
        var output: [UInt8] = [1, 2, 3]
        if isWritten {
            #expect(throws: Never.self) {
                try HTTP1Serializer.appendResponseHead(
                    HTTPResponseHead(status: 200, fields: fields), framing: .length(0), into: &output)
            }
        } else {
            #expect(throws: HTTP1Error.illegalOutput) {
                try HTTP1Serializer.appendResponseHead(
                    HTTPResponseHead(status: 200, fields: fields), framing: .length(0), into: &output)
            }
            #expect(output == [1, 2, 3], "a refused head leaves nothing behind")
        }
    }

    @Test(
        arguments: [
            ("", "/", "a"), ("G T", "/", "a"), ("GET\r\n", "/", "a"), ("GET", "", "a"), ("GET", "/ HTTP/1.1\r\nX: y", "a"),
            ("GET", "/\n", "a"), ("GET", "/#", "a"), ("GET", "/\u{0}", "a"), ("GET", "/é", "a"), ("GET", "/", ""),
            ("GET", "/", "a\r\nX: y"), ("GET", "/", "a b"),
        ])
    func `a request that would not be one is not written`(method: String, target: String, authority: String) {
        var output: [UInt8] = []
        let head = HTTPRequestHead(method: method, target: target, authority: authority)
        #expect(throws: HTTP1Error.illegalOutput) {
            try HTTP1Serializer.appendRequestHead(head, framing: .nothing, into: &output)
        }
        #expect(output.isEmpty)
    }

    @Test func `neither a status out of range nor a broken upgrade is written`() {
        var output: [UInt8] = []
        for status in [-1, 0, 99, 600, 1000] {
            #expect(throws: HTTP1Error.illegalOutput) {
                try HTTP1Serializer.appendResponseHead(HTTPResponseHead(status: status), framing: .nothing, into: &output)
            }
        }
        for token in ["", "a b", "a\r\nb"] {
            #expect(throws: HTTP1Error.illegalOutput) {
                try HTTP1Serializer.appendResponseHead(
                    HTTPResponseHead(status: 101), framing: .nothing, connection: .upgrade(token), into: &output)
            }
        }
        for status in [101, 200, 99] {
            #expect(throws: HTTP1Error.illegalOutput) { try HTTP1Serializer.appendInterimHead(status: status, into: &output) }
        }
        #expect(output.isEmpty)
    }

    @Test func `chunks are hexadecimal and trailers are cleaned`() throws {
        var output: [UInt8] = []
        for byteCount in [1, 15, 16, 255, 4096, Int.max] {
            HTTP1Serializer.appendChunkHead(byteCount: byteCount, into: &output)
        }
        HTTP1Serializer.appendChunkEnd(into: &output)
        let trailers = HTTPFields([("x-sum", "1"), ("content-length", "5"), ("authorization", "no"), ("host", "h")])
        try HTTP1Serializer.appendLastChunk(trailers: trailers, into: &output)
        try HTTP1Serializer.appendLastChunk(into: &output)
        #expect(
            String(decoding: output, as: UTF8.self)
                == "1\r\nf\r\n10\r\nff\r\n1000\r\n7fffffffffffffff\r\n\r\n0\r\nx-sum: 1\r\n\r\n0\r\n\r\n")
        #expect(throws: HTTP1Error.illegalOutput) {
            try HTTP1Serializer.appendLastChunk(trailers: HTTPFields([("x", "\r\n")]), into: &output)
        }
    }

    @Test func `an interim head has no body`() throws {
        var output: [UInt8] = []
        try HTTP1Serializer.appendInterimHead(status: 100, into: &output)
        #expect(String(decoding: output, as: UTF8.self) == "HTTP/1.1 100 Continue\r\n\r\n")
    }
}
