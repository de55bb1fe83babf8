import Testing

@testable import TunnelWire

/// However the network cuts the bytes, the decoders say the same.
struct SplitTests {
    static let requests = WireFixtures.names(in: "HTTP1/Requests", ending: ".http")
    static let responses = WireFixtures.names(in: "HTTP1/Responses", ending: ".http")

    @Test func `there are fixtures`() {
        #expect(Self.requests.count >= 20)
        #expect(Self.responses.count >= 10)
    }

    @Test(arguments: requests)
    func `a request fixture says the same in every cut`(name: String) throws {
        let bytes = try WireFixtures.bytes("HTTP1/Requests/\(name).http")
        let whole = Transcript.ofRequests(bytes)
        #expect(whole.error == nil)
        #expect(whole.lines.contains("end"))
        for cut in 1..<bytes.count {
            try #require(Transcript.ofRequests(bytes, cuts: [cut]) == whole, "cut at \(cut)")
        }
        #expect(Transcript.ofRequests(bytes, cuts: Array(1..<bytes.count)) == whole)
    }

    @Test(arguments: responses)
    func `a response fixture says the same in every cut`(name: String) throws {
        let bytes = try WireFixtures.bytes("HTTP1/Responses/\(name).http")
        let method = String(name.prefix { $0 != "-" })
        let whole = Transcript.ofResponse(bytes, to: method)
        #expect(whole.error == nil)
        for cut in 1..<bytes.count {
            try #require(Transcript.ofResponse(bytes, to: method, cuts: [cut]) == whole, "cut at \(cut)")
        }
        #expect(Transcript.ofResponse(bytes, to: method, cuts: Array(1..<bytes.count)) == whole)
    }

    @Test(arguments: RequestRefusalTests.table)
    func `a refused request is refused alike in every cut`(request: String, error: HTTP1Error) {
        let bytes = Array(request.unicodeScalars.map { UInt8($0.value) })
        // Long ones are long because of one repeated part: some of its cuts stand for all.
        for cut in stride(from: 1, to: bytes.count, by: max(1, bytes.count / 500)) {
            #expect(Transcript.ofRequests(bytes, cuts: [cut]).error == "\(error)", "cut at \(cut)")
        }
        guard bytes.count < 4096 else { return }
        #expect(Transcript.ofRequests(bytes, cuts: Array(1..<bytes.count)).error == "\(error)")
    }

    /// The decoder must not look again at what it saw: with a long line in single bytes that would never end.
    @Test func `a long line in single bytes is read once`() {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 60_000))\r\n\r\n".utf8)
        var decoder = HTTP1RequestDecoder()
        var start = 0
        var isHead = false
        for end in 1...bytes.count {
            guard let (consumed, event) = try? decoder.receive(bytes.span.extracting(start..<end)) else { break }
            start += consumed
            if case .head = event { isHead = true }
        }
        #expect(isHead)
    }
}
