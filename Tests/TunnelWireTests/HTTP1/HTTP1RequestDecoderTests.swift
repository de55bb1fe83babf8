import Testing

@testable import TunnelWire

struct HTTP1RequestDecoderTests {
    @Test func `a plain request is a head and an end`() throws {
        let text = "GET /a?b=c HTTP/1.1\r\nHost: my-agent.localhost:8443\r\nX-Odd:  two words \t\r\nAccept: */*\r\n\r\n"
        let log = try Transcript.ofRequests(text)
        #expect(
            log.lines == [
                "head GET /a?b=c my-agent.localhost:8443 http11 none keepAlive",
                "  host: my-agent.localhost:8443", "  x-odd: two words", "  accept: */*", "end",
            ])
    }

    @Test func `chunks and trailers are body and end`() throws {
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n1;q=\"x;y\"\r\n!\r\n0\r\n"
            + "X-Sum: 7\r\nAuthorization: no\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n"
        let log = try Transcript.ofRequests(text)
        #expect(
            log.lines == [
                "head POST / a http11 chunked keepAlive", "  host: a", "  transfer-encoding: Chunked", "body hello!",
                "end", "  x-sum: 7", "head GET /next a http11 none keepAlive", "  host: a", "end",
            ])
    }
}
