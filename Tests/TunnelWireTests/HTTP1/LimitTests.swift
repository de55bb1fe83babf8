import Testing

@testable import TunnelWire

/// Each limit at its edge: the last byte that passes and the first that does not.
struct LimitTests {
    private static var small: HTTP1Limits {
        var limits = HTTP1Limits()
        limits.headByteCountMax = 60
        limits.fieldCountMax = 3
        limits.methodByteCountMax = 5
        limits.targetByteCountMax = 8
        limits.chunkLineByteCountMax = 6
        limits.trailerByteCountMax = 12
        limits.interimHeadCountMax = 2
        return limits
    }

    private static func error(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        let whole = Transcript.ofRequests(bytes, limits: small).error
        let single = Transcript.ofRequests(bytes, cuts: Array(1..<bytes.count), limits: small).error
        return whole == single ? whole : "\(whole ?? "accepted") whole, \(single ?? "accepted") in single bytes"
    }

    @Test func `the defaults are as documented`() {
        let limits = HTTP1Limits()
        #expect(limits.headByteCountMax == 65_536)
        #expect(limits.fieldCountMax == 100)
        #expect(limits.methodByteCountMax == 32)
        #expect(limits.targetByteCountMax == 16_384)
        #expect(limits.chunkLineByteCountMax == 256)
        #expect(limits.trailerByteCountMax == 8_192)
        #expect(limits.interimHeadCountMax == 16)
    }

    @Test func `a method may have its limit`() {
        #expect(Self.error("ABCDE / HTTP/1.1\r\nHost: a\r\n\r\n") == nil)
        #expect(Self.error("ABCDEF / HTTP/1.1\r\nHost: a\r\n\r\n") == "illegalMethod")
    }

    @Test func `a target may have its limit`() {
        #expect(Self.error("GET /1234567 HTTP/1.1\r\nHost: a\r\n\r\n") == nil)
        #expect(Self.error("GET /12345678 HTTP/1.1\r\nHost: a\r\n\r\n") == "targetTooLong")
    }

    @Test func `a request line without end is cut at its limit`() {
        #expect(Self.error("GETxx /1234567 HTTP/1.1") == nil)
        #expect(Self.error("GETxx /1234567 HTTP/1.1x") == nil)
        #expect(Self.error("GETxx /1234567 HTTP/1.1xx") == "targetTooLong")
    }

    @Test func `a head may have its limit`() {
        let line = "GET / HTTP/1.1\r\nHost: a\r\n"  // 25 bytes, and 2 at the end
        #expect(Self.error(line + "X: " + String(repeating: "y", count: 28) + "\r\n\r\n") == nil)
        #expect(Self.error(line + "X: " + String(repeating: "y", count: 29) + "\r\n\r\n") == "headTooLarge")
        #expect(Self.error(line + String(repeating: "y", count: 35)) == nil)
        #expect(Self.error(line + String(repeating: "y", count: 36)) == "headTooLarge")
    }

    @Test func `a head may have its number of fields`() {
        let line = "GET / HTTP/1.1\r\nHost: a\r\n"
        #expect(Self.error(line + "X:1\r\nX:2\r\n\r\n") == nil)
        #expect(Self.error(line + "X:1\r\nX:2\r\nX:3\r\n\r\n") == "tooManyFields")
    }

    @Test func `a chunk line may have its limit`() {
        let head = "PUT / HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:chunked\r\n\r\n"
        #expect(Self.error(head + "000;ab\r\n\r\n") == nil)
        #expect(Self.error(head + "000;abc\r\n\r\n") == "chunkLineTooLong")
        #expect(Self.error(head + "0000000") == nil)
        #expect(Self.error(head + "00000000") == "chunkLineTooLong")
    }

    @Test func `trailers may have their limits`() {
        let head = "PUT / HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:chunked\r\n\r\n0\r\n"
        #expect(Self.error(head + "X:123456\r\n\r\n") == nil)
        #expect(Self.error(head + "X:1234567\r\n\r\n") == "trailersTooLarge")
        #expect(Self.error(head + "X1234567890123") == "trailersTooLarge")
        var limits = HTTP1Limits()
        limits.fieldCountMax = 2
        let full = head + "X:1\r\nX:2\r\n\r\n"
        #expect(Transcript.ofRequests(Array(full.utf8), limits: limits).error == nil)
        let over = head + "X:1\r\nX:2\r\nX:3\r\n\r\n"
        #expect(Transcript.ofRequests(Array(over.utf8), limits: limits).error == "tooManyFields")
    }

    @Test func `interim heads have their limit`() {
        let interim = "HTTP/1.1 100 Go\r\n\r\n"
        let final = "HTTP/1.1 204 No\r\n\r\n"
        let full = Array((interim + interim + final).utf8)
        #expect(Transcript.ofResponse(full, to: "GET", limits: Self.small).error == nil)
        let over = Array((interim + interim + interim + final).utf8)
        #expect(Transcript.ofResponse(over, to: "GET", limits: Self.small).error == "tooManyInterimHeads")
    }

    @Test func `the largest chunk and length fit`() {
        let head = "PUT / HTTP/1.1\r\nHost:a\r\n"
        let length = Transcript.ofRequests(head + "Content-Length: 999999999999999999\r\n\r\n")
        #expect(length.lines.first == "head PUT / a http11 length(999999999999999999) keepAlive")
        let chunk = Transcript.ofRequests(head + "Transfer-Encoding: chunked\r\n\r\n0fffffffffffffff\r\n")
        #expect(chunk.error == nil)
    }
}
