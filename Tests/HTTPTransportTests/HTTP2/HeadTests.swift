import HTTPTransport
import TestSupport
import Testing
import TunnelDomain

/// Which heads of requests come through HTTP/2.
@Suite(.timeLimit(.minutes(5)))
struct HeadTests {
    /// The frames until stream 1 has its answer: a head or a reset.
    private func answer(_ request: [UInt8], settings: HTTPServerSettings = .patient) async throws
        -> (frames: [RawFrame], targets: [String])
    {
        var frames: [RawFrame] = []
        var targets: [String] = []
        try await withServer(settings: settings) { server in
            let client = try await server.client()
            // Stream 3 is the proof that the connection came to no harm.
            client.send(RawFrame.hello + request + RawFrame.request(3))
            let bytes = await client.journal.wait { events in
                let frames = RawFrame.all(in: events.bytes)
                let isAnswered = frames.contains { $0.stream == 1 && ($0.isA(.headers) || $0.isA(.reset)) }
                return events.isClosed || (isAnswered && frames.contains { $0.stream == 3 && $0.isA(.headers) })
            }.bytes
            frames = RawFrame.all(in: bytes)
            targets = server.journal.all.targets
        }
        return (frames, targets)
    }

    @Test func `a header list past the limit is answered with 431`() async throws {
        let settings = FloodTests.settings { $0.headerListByteCountMax = 2_000 }
        let long = String(repeating: "x", count: 2_000)
        let (frames, targets) = try await answer(RawFrame.request(1, [("x", long)]), settings: settings)
        let head = try #require(frames.first { $0.stream == 1 && $0.isA(.headers) })
        #expect(head.payload.holds431)
        #expect(targets == ["/"])
    }

    @Test func `more fields than the limit are answered with 431`() async throws {
        let many = (0..<101).map { ("x-\($0)", "y") }
        let (frames, targets) = try await answer(RawFrame.request(1, many))
        #expect(try #require(frames.first { $0.stream == 1 && $0.isA(.headers) }).payload.holds431)
        #expect(targets == ["/"])
        let hundred = try await answer(RawFrame.request(1, Array(many.prefix(100))))
        #expect(try #require(hundred.frames.first { $0.stream == 1 && $0.isA(.headers) }).payload.holds431 == false)
        #expect(hundred.targets == ["/", "/"])
    }

    @Test(arguments: [
        [("Upper", "x")], [("x y", "z")], [("x", "a\u{0}b")], [("x", "a\r\nb: c")], [("connection", "close")],
        [("transfer-encoding", "chunked")], [("te", "gzip")], [("host", "elsewhere")],
        [("host", "localhost"), ("host", "localhost")], [(":path", "/2")], [(":status", "200")],
        [("content-length", "5")], [("content-length", "x")],
    ])
    func `a head that HTTP forbids resets its stream and no other`(fields: [(String, String)]) async throws {
        let (frames, targets) = try await answer(RawFrame.request(1, fields))
        #expect(frames.contains { $0.stream == 1 && $0.isA(.reset) })
        #expect(!frames.contains { $0.stream == 1 && $0.isA(.headers) })
        #expect(targets == ["/"])
    }

    @Test func `a host that agrees with the authority is no harm`() async throws {
        let (_, targets) = try await answer(RawFrame.request(1, [("host", "LOCALHOST")]))
        #expect(targets == ["/", "/"])
    }

    @Test func `streams past the promised number are refused`() async throws {
        let settings = FloodTests.settings { $0.concurrentStreamsMax = 2 }
        try await withServer(settings: settings, Script(onEnd: { _, _ in })) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1) + RawFrame.request(3) + RawFrame.request(5))
            let reset = try #require(await client.frames(until: .reset).first(.reset))
            #expect(reset.stream == 5)
            #expect(reset.errorCode == 7)
            #expect(server.journal.all.targets.count == 2)
            // Once the client has acknowledged the promise, breaking it is an error of the whole connection.
            client.send(RawFrame.frame(.settings, flags: RawFrame.acknowledgement) + RawFrame.request(7))
            #expect(await client.framesUntilClosed().first(.goAway)?.errorCode == 1)
            #expect(server.journal.all.targets.count == 2)
        }
    }
}

extension [UInt8] {
    /// Whether an uncompressed or Huffman-coded 431 stands in the header block.
    fileprivate var holds431: Bool {
        // HPACK writes `431` as three literal bytes or, in Huffman's code, as 0x68 0x19 0x07 (011010 011001 00001 + padding).
        firstRange(of: Array("431".utf8)) != nil || firstRange(of: [0x69, 0x90, 0xFF]) != nil
            || firstRange(of: [0x69, 0x90, 0x7F]) != nil
    }
}
