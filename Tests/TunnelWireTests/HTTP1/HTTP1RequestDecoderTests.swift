import Testing

@testable import TunnelWire

struct HTTP1RequestDecoderTests {
    @Test func `a plain request is a head and an end`() {
        let text = "GET /a?b=c HTTP/1.1\r\nHost: my-agent.localhost:8443\r\nX-Odd:  two words \t\r\nAccept: */*\r\n\r\n"
        #expect(
            Transcript.ofRequests(text).lines == [
                "head GET /a?b=c my-agent.localhost:8443 http11 none keepAlive",
                "  host: my-agent.localhost:8443", "  x-odd: two words", "  accept: */*", "end",
            ])
    }

    @Test func `chunks and trailers are body and end, and the next request follows`() {
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nhi\r\n1;q=\"x;y\"\r\n!\r\n0\r\n"
            + "X-Sum: 7\r\nAuthorization: no\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(
            Transcript.ofRequests(text).lines == [
                "head POST / a http11 chunked keepAlive", "  host: a", "  transfer-encoding: Chunked", "body 68 69 21",
                "end", "  x-sum: 7", "head GET /next a http11 none keepAlive", "  host: a", "end",
            ])
    }

    @Test(
        arguments: [
            ("GET http://a/b?c HTTP/1.1\r\nHost: A", "head GET /b?c A"),
            ("GET http://a HTTP/1.1\r\nHost: a", "head GET / a"),
            ("GET https://a:1?q HTTP/1.1\r\nHost: a:1", "head GET /?q a:1"),
            ("OPTIONS http://a HTTP/1.1\r\nHost: a", "head OPTIONS * a"),
            ("OPTIONS * HTTP/1.1\r\nHost: a", "head OPTIONS * a"),
            ("CONNECT a:443 HTTP/1.1\r\nHost: a:443", "head CONNECT  a:443"),
            ("GET http://a/ HTTP/1.0", "head GET / a"),
            ("GET / HTTP/1.0", "head GET / "),
        ])
    func `every target form ends as origin-form and authority`(request: String, expected: String) throws {
        let line = try #require(Transcript.ofRequests(request + "\r\n\r\n").lines.first)
        #expect(line.hasPrefix(expected + " http1"))
    }

    @Test(
        arguments: [
            ("HTTP/1.1\r\nHost: a", " http11 none keepAlive"),
            ("HTTP/1.1\r\nHost: a\r\nConnection: Close", " http11 none"),
            ("HTTP/1.1\r\nHost: a\r\nConnection: foo ,, close", " http11 none"),
            ("HTTP/1.0\r\nHost: a\r\nConnection: keep-alive", " http10 none keepAlive"),
            ("HTTP/1.0\r\nHost: a", " http10 none"),
            ("HTTP/1.1\r\nHost: a\r\nExpect: 100-CONTINUE", " http11 none keepAlive expectsContinue"),
            ("HTTP/1.0\r\nHost: a\r\nExpect: 100-continue", " http10 none"),
            (
                "HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c, WebSocket",
                " http11 none keepAlive upgrade=websocket"
            ),
            ("HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: TLS/1.0", " http11 none keepAlive upgrade=tls/1.0"),
            ("HTTP/1.1\r\nHost: a\r\nUpgrade: websocket", " http11 none keepAlive"),
            ("HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket", " http10 none"),
            ("HTTP/1.1\r\nHost: a\r\nContent-Length: 007", " http11 length(7) keepAlive"),
        ])
    func `the facts are what the fields say`(rest: String, expected: String) throws {
        let line = try #require(Transcript.ofRequests("GET / " + rest + "\r\n\r\n").lines.first)
        #expect(line == "head GET / a" + expected)
    }

    @Test func `after close nothing is read any more`() {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(Transcript.ofRequests(text).lines.count { $0.hasPrefix("head") } == 1)
    }

    @Test func `after an error the decoder stays refused`() throws {
        var decoder = HTTP1RequestDecoder()
        #expect(throws: HTTP1Error.malformedRequestLine) { try decoder.receive(Array("x\r\n".utf8).span) }
        #expect(throws: HTTP1Error.malformedRequestLine) { try decoder.receive(Array("GET / HTTP/1.1\r\n".utf8).span) }
    }

    @Test func `a decoder knows whether a request is under way`() throws {
        var decoder = HTTP1RequestDecoder()
        #expect(!decoder.isInsideMessage)
        let text = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx".utf8)
        _ = try decoder.receive(text.span.extracting(0..<20))
        #expect(decoder.isInsideMessage)
        let (consumed, _) = try decoder.receive(text.span.extracting(17..<text.count))
        _ = try decoder.receive(text.span.extracting(17 + consumed..<text.count))
        #expect(decoder.isInsideMessage)
        _ = try decoder.receive(text.span.extracting(text.count..<text.count))
        #expect(!decoder.isInsideMessage)
    }
}
