import Testing

@testable import TunnelWire

struct ResponseDecoderTests {
    private static func lines(_ text: String, to method: String = "GET") -> [String] {
        Transcript.ofResponse(Array(text.utf8), to: method).lines
    }

    @Test(
        arguments: [
            ("GET", "200 OK\r\nContent-Length: 2", "ab", ["head 200 http11 length(2) keepAlive", "body 61 62", "end"]),
            ("GET", "200 OK\r\nContent-Length: 0", "", ["head 200 http11 none keepAlive", "end"]),
            ("GET", "200 OK", "ab", ["head 200 http11 untilClose", "body 61 62", "end"]),
            ("GET", "200", "", ["head 200 http11 untilClose", "end"]),
            ("HEAD", "200 OK\r\nContent-Length: 2", "", ["head 200 http11 none keepAlive", "end"]),
            ("HEAD", "200 OK\r\nTransfer-Encoding: chunked", "", ["head 200 http11 none keepAlive", "end"]),
            ("HEAD", "200 OK", "", ["head 200 http11 none keepAlive", "end"]),
            ("GET", "304 No\r\nContent-Length: 9", "", ["head 304 http11 none keepAlive", "end"]),
            ("GET", "204 No\r\nContent-Length: 0", "", ["head 204 http11 none keepAlive", "end"]),
            ("GET", "204 No\r\nContent-Length: 5", "hello", ["head 204 http11 none", "end"]),
            ("GET", "204 No\r\nTransfer-Encoding: chunked", "0\r\n\r\n", ["head 204 http11 none", "end"]),
            ("CONNECT", "200 OK\r\nContent-Length: 5", "", ["head 200 http11 none endsHTTP"]),
            ("CONNECT", "403 No\r\nContent-Length: 1", "x", ["head 403 http11 length(1) keepAlive", "body 78", "end"]),
            (
                "GET", "101 Now\r\nUpgrade: websocket\r\nConnection: upgrade", "\u{1}\u{2}",
                ["head 101 http11 none endsHTTP upgrade=websocket"]
            ),
        ] as [(String, String, String, [String])])
    func `a body is as long as method, status and fields say`(
        method: String, head: String, body: String, expected: [String]
    ) {
        let lines = Self.lines("HTTP/1.1 \(head)\r\n\r\n\(body)", to: method)
        #expect(lines.filter { !$0.hasPrefix("  ") } == expected)
    }

    @Test func `interim heads come before the final one`() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n"
        #expect(
            Self.lines(text) == [
                "head 100 http11 none keepAlive interim", "head 103 http11 none keepAlive interim", "  link: x",
                "head 204 http11 none keepAlive", "end",
            ])
    }

    @Test(
        arguments: [
            ("HTTP/1.1 20 OK", .malformedStatusLine), ("HTTP/1.1 2000 OK", .malformedStatusLine),
            ("HTTP/1.1 099 OK", .malformedStatusLine), ("HTTP/1.1 600 OK", .malformedStatusLine),
            ("HTTP/1.1  200 OK", .malformedStatusLine), ("HTTP/1.1\t200 OK", .malformedStatusLine),
            ("HTTP/1.1 2e1 OK", .malformedStatusLine), ("HTTP/1.1 200OK", .malformedStatusLine),
            ("HTTP/1.1 200 O\u{0}K", .malformedStatusLine), ("HTTP/1.1 200 O\rK", .malformedStatusLine),
            ("", .malformedStatusLine), ("ICY 200 OK", .malformedStatusLine), ("HTTP/2.0 200 OK", .unsupportedVersion),
            ("HTTP/x.1 200 OK", .malformedVersion), ("http/1.1 200 OK", .malformedVersion),
            ("HTTP/1.1 200 OK\r\n folded: x", .foldedField), ("HTTP/1.1 200 OK\r\nX : y", .blankBeforeColon),
            ("HTTP/1.1 200 OK\r\nX: \u{0}", .illegalFieldValue), ("HTTP/1.1 200 OK\r\nX", .missingColon),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1, 1", .malformedLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1", .repeatedLength),
            ("HTTP/1.1 304 OK\r\nContent-Length: x", .malformedLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", .lengthAndTransferEncoding),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked", .unsupportedTransferEncoding),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked", .transferEncodingInHTTP10),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", .truncated),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .truncated),
            ("HTTP/1.1 204 OK\r\n\r\nHTTP/1.1 200 OK", .unsolicitedResponse),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", .unsolicitedResponse),
            ("HTTP/1.1 100 Go", .truncated), ("HTTP/1.1 200 OK\nX: y", .bareLineFeed),
        ] as [(String, HTTP1Error)])
    func `a bad response is refused as what it is`(text: String, error: HTTP1Error) {
        let bytes = Array((text + "\r\n\r\n").unicodeScalars.map { UInt8($0.value) })
        let isCutShort = error == .truncated && text.contains("\r\n\r\n")
        let whole = isCutShort ? bytes.dropLast(4) : bytes[...]
        #expect(Transcript.ofResponse(Array(whole), to: "GET").error == "\(error)")
        for cut in 1..<whole.count {
            #expect(Transcript.ofResponse(Array(whole), to: "GET", cuts: [cut]).error == "\(error)", "cut at \(cut)")
        }
    }

    @Test func `a response that nobody asked for is refused`() throws {
        var decoder = HTTP1ResponseDecoder()
        #expect(throws: HTTP1Error.unsolicitedResponse) { try decoder.receive(Array("H".utf8).span) }
    }

    @Test func `bytes after a 101 are left to the caller`() throws {
        let text = Array("HTTP/1.1 101 Now\r\n\r\nrest".utf8)
        var decoder = HTTP1ResponseDecoder()
        decoder.expectResponse(to: "GET")
        let (consumed, _) = try decoder.receive(text.span)
        #expect(consumed == text.count - 4)
        #expect(try decoder.receive(text.span.extracting(consumed..<text.count)).consumed == 0)
    }

    @Test func `one connection carries one response after another`() throws {
        let text = Array("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n".utf8)
        var decoder = HTTP1ResponseDecoder()
        for method in ["GET", "HEAD", "GET"] {
            decoder.expectResponse(to: method)
            #expect(decoder.isInsideMessage)
            _ = try decoder.receive(text.span)
            let body = Array("x".utf8)
            if method == "GET" { _ = try decoder.receive(body.span) }
            guard case .end = try decoder.receive(body.span.extracting(0..<0)).event else {
                Issue.record("the response to \(method) did not end")
                return
            }
            #expect(!decoder.isInsideMessage)
        }
        #expect(try decoder.connectionClosed() == nil)
    }
}
