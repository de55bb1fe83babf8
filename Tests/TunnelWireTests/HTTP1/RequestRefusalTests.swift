import Testing

@testable import TunnelWire

/// What is refused, and as what. The texts are bytes: each scalar up to U+00FF stands for one.
struct RequestRefusalTests {
    static let table: [(String, HTTP1Error)] = lines + fields + hosts + framing + chunks

    private static let h = "Host: a\r\n"
    private static func get(_ rest: String) -> String { "GET / HTTP/1.1\r\n" + rest + "\r\n\r\n" }
    private static func post(_ rest: String) -> String { "POST / HTTP/1.1\r\n\(h)" + rest }
    private static func chunked(_ rest: String) -> String { post("Transfer-Encoding: chunked\r\n\r\n" + rest) }

    private static let lines: [(String, HTTP1Error)] = [
        ("GET\r\n", .malformedRequestLine),
        ("GET /\r\n", .malformedRequestLine),
        ("GET  / HTTP/1.1\r\n", .malformedRequestLine),
        ("GET / \r\n", .malformedVersion),
        ("GET / HTTP/1.1 \r\n", .malformedVersion),
        ("GET /  HTTP/1.1\r\n", .malformedVersion),
        ("GET / b HTTP/1.1\r\n", .malformedVersion),
        (" GET / HTTP/1.1\r\n", .illegalMethod),
        ("G\u{1}T / HTTP/1.1\r\n", .illegalMethod),
        ("GET\t/ HTTP/1.1\r\n", .malformedRequestLine),
        ("G(T / HTTP/1.1\r\n", .illegalMethod),
        ("\(String(repeating: "M", count: 33)) / HTTP/1.1\r\n", .illegalMethod),
        ("GET a HTTP/1.1\r\n", .illegalTarget),
        ("GET * HTTP/1.1\r\n", .illegalTarget),
        ("GET a:443 HTTP/1.1\r\n", .illegalTarget),
        ("GET /#x HTTP/1.1\r\n", .illegalTarget),
        ("GET /\u{e9} HTTP/1.1\r\n", .illegalTarget),
        ("GET /\u{7f} HTTP/1.1\r\n", .illegalTarget),
        ("GET /\u{0} HTTP/1.1\r\n", .illegalTarget),
        ("GET ftp://a/ HTTP/1.1\r\n", .illegalTarget),
        ("GET http:///x HTTP/1.1\r\n", .illegalTarget),
        ("GET http://u@a/ HTTP/1.1\r\n", .illegalTarget),
        ("CONNECT a HTTP/1.1\r\n", .illegalTarget),
        ("CONNECT / HTTP/1.1\r\n", .illegalTarget),
        ("CONNECT http://a:1/ HTTP/1.1\r\n", .illegalTarget),
        ("GET / HTTP/2.0\r\n", .unsupportedVersion),
        ("GET / HTTP/0.9\r\n", .unsupportedVersion),
        ("GET / HTTP/1.2\r\n", .unsupportedVersion),
        ("GET / http/1.1\r\n", .malformedVersion),
        ("GET / HTTP/1.11\r\n", .malformedVersion),
        ("GET / HTTP/11\r\n", .malformedVersion),
        ("GET / HTTP/+1.1\r\n", .malformedVersion),
        ("\r\n\r\nGET / HTTP/1.1\r\n", .malformedRequestLine),
        ("\nGET / HTTP/1.1\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\nHost: a\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\rHost: a\r\n", .malformedVersion),
        ("PRI * HTTP/2.0\r\n", .unsupportedVersion),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", .illegalMethod),
        ("\rG", .bareCarriageReturn),
        ("\n", .bareLineFeed),
    ]

    private static let fields: [(String, HTTP1Error)] = [
        (get("Host: a\n"), .bareLineFeed),
        (get("Host: a\r\nX: a\nY: b"), .bareLineFeed),
        (get("Host: a\r\n\n"), .bareLineFeed),
        (get("Host: a\r\nX: a\rb"), .bareCarriageReturn),
        (get("Host: a\r\nX: a\r"), .bareCarriageReturn),
        (get("Host: a\r\n\rX: a"), .bareCarriageReturn),
        (get("Host: a\r\n folded"), .foldedField),
        (get("Host: a\r\n\tfolded: x"), .foldedField),
        (get(" Host: a"), .foldedField),
        (get("Host: a\r\nX : a"), .blankBeforeColon),
        (get("Host: a\r\nX\t: a"), .blankBeforeColon),
        (get("Host : a"), .blankBeforeColon),
        (get("Host: a\r\n: a"), .emptyFieldName),
        (get("Host: a\r\nX"), .missingColon),
        (get("Host: a\r\nX(: a"), .illegalFieldName),
        (get("Host: a\r\nX\u{0}: a"), .illegalFieldName),
        (get("Host: a\r\n\u{e9}: a"), .illegalFieldName),
        (get("Host: a\r\nX@y: a"), .illegalFieldName),
        (get("Host: a\r\nX: \u{0}"), .illegalFieldValue),
        (get("Host: a\r\nX: a\u{1}b"), .illegalFieldValue),
        (get("Host: a\r\nX: long enough for a word \u{7f} or two"), .illegalFieldValue),
        (get("Host: a\r\nX: \u{b}"), .illegalFieldValue),
        (get("Host: a\r\nX: \u{1b}[2J"), .illegalFieldValue),
        (get("Host: a\r\nExpect: 200-ok"), .unsupportedExpectation),
        (get("Host: a" + String(repeating: "\r\nX: y", count: 100)), .tooManyFields),
        (get("Host: a\r\nX: " + String(repeating: "x", count: 64 * 1024)), .headTooLarge),
        ("GET /" + String(repeating: "x", count: 16 * 1024) + " HTTP/1.1\r\n", .targetTooLong),
    ]

    private static let hosts: [(String, HTTP1Error)] =
        [
            (get("X: a"), .missingHost),
            ("GET / HTTP/1.1\r\n\r\n", .missingHost),
            ("GET http://a/ HTTP/1.1\r\n\r\n", .missingHost),
            (get("Host: a\r\nHost: a"), .repeatedHost),
            (get("Host: a\r\nhost: b"), .repeatedHost),
            ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", .hostMismatch),
            ("GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", .hostMismatch),
            ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", .hostMismatch),
        ] + HostAndPortTests.refused.filter { !$0.contains("\u{7f}") }.map { (get("Host: \($0)"), .malformedHost) }

    private static let framing: [(String, HTTP1Error)] =
        [
            (post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), .lengthAndTransferEncoding),
            (post("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"), .lengthAndTransferEncoding),
            (post("Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), .repeatedLength),
            (post("Content-Length: 1\r\nContent-Length: 1\r\n\r\n"), .repeatedLength),
            ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10),
        ]
        + [
            "", "+1", "-1", "1 2", "1,1", "1, 1", "0x1", "1.0", "1e3", "\u{b2}", "1a", "9223372036854775808",
            "18446744073709551616", "000000000000000000001",
        ].map { (post("Content-Length: \($0)\r\n\r\n"), .malformedLength) }
        + [
            "", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "chunked;q=1", "chunked,", ",chunked",
            "x chunked", "xchunked", "\"chunked\"", "chunked\u{a0}",
        ].map { (post("Transfer-Encoding: \($0)\r\n\r\n"), .unsupportedTransferEncoding) }
        + [(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), .unsupportedTransferEncoding)]

    private static let chunks: [(String, HTTP1Error)] =
        [
            "", "+1", "-1", "0x1", "x", " 1", "1 ", "1 ;a", "\t1", "1\t", "10000000000000000", "7fffffffffffffff",
            "00000000000000001",
        ]
        .map { (chunked("\($0)\r\nx\r\n"), .malformedChunkSize) }
        + [
            ";", ";;", ";a=", ";=b", ";a b", "; a", ";a =b", ";a=\"b", ";a=\"b\"c", ";a\u{0}", ";a=\"\u{1}\"", ";a=\u{e9}",
            ";a=b\r", ";a=\"\\",
        ].map { (chunked("1\($0)\r\nx\r\n"), .malformedChunkExtension) }
        + [
            (chunked("1\nx\r\n"), .bareLineFeed),
            (chunked("1;a=b\nx\r\n"), .bareLineFeed),
            (chunked("1\r\nxy\r\n"), .missingChunkEnd),
            (chunked("1\r\nx\n0\r\n"), .missingChunkEnd),
            (chunked("1\r\nx\r0\r\n"), .missingChunkEnd),
            (chunked("1;\(String(repeating: "x", count: 256))\r\n"), .chunkLineTooLong),
            (chunked(String(repeating: "0", count: 300)), .chunkLineTooLong),
            (chunked("0\r\nX: y\n\r\n"), .bareLineFeed),
            (chunked("0\r\nX : y\r\n\r\n"), .blankBeforeColon),
            (chunked("0\r\nContent-Length: 1\r\n\r\n"), .forbiddenTrailer),
            (chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"), .forbiddenTrailer),
            (chunked("0\r\nHost: b\r\n\r\n"), .forbiddenTrailer),
            (chunked("0\r\nX: \(String(repeating: "x", count: 8 * 1024))\r\n\r\n"), .trailersTooLarge),
            (chunked("0\r\n" + String(repeating: "X: y\r\n", count: 101) + "\r\n"), .tooManyFields),
        ]

    @Test(arguments: table)
    func `a bad request is refused as what it is`(request: String, error: HTTP1Error) {
        let transcript = Transcript.ofRequests(Array(request.unicodeScalars.map { UInt8($0.value) }))
        #expect(transcript.error == "\(error)")
    }

    /// The answer that the connection gets, and never a byte for the agent: no head was delivered.
    @Test(arguments: table.filter { !$0.0.contains("chunked\r\n\r\n") || $0.1 == .lengthAndTransferEncoding })
    func `a request with a bad head delivers no head`(request: String, error: HTTP1Error) {
        let transcript = Transcript.ofRequests(Array(request.unicodeScalars.map { UInt8($0.value) }))
        #expect(transcript.lines.count == 1)
    }

    @Test func `every error has an answer and an explanation of its own`() {
        #expect(Set(HTTP1Error.allCases.map(\.explanation)).count == HTTP1Error.allCases.count)
        let statuses = Set(HTTP1Error.allCases.map(\.status))
        #expect(statuses == [400, 414, 417, 431, 500, 505])
    }
}
