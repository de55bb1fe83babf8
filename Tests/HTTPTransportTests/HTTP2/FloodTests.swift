import HTTPTransport
import TestSupport
import Testing
import TunnelDomain

/// Clients that keep a server busy with frames that cost them nothing.
@Suite(.timeLimit(.minutes(5)))
struct FloodTests {
    private static let calm: UInt32 = 11

    /// Sixty numbers that a client may give to its streams.
    private static let streams: [UInt32] = (0..<60).map { 2 * $0 + 1 }

    static func settings(_ change: (inout HTTP2Settings) -> Void) -> HTTPServerSettings {
        var settings = HTTPServerSettings.patient
        change(&settings.http2)
        return settings
    }

    private static func times(_ count: Int, _ bytes: [UInt8]) -> [UInt8] {
        [[UInt8]](repeating: bytes, count: count).flatMap { $0 }
    }

    private static let small = settings {
        $0.resetsBurstMax = 20
        $0.resetsPerSecondMax = 1
        $0.idleFramesBurstMax = 40
        $0.idleFramesPerSecondMax = 1
    }

    /// Sends the bytes after a hello and returns what came back until the connection was over.
    private func flood(
        _ bytes: [UInt8], settings: HTTPServerSettings = small, _ script: Script = Script(onEnd: { _, _ in }),
        events: (([ServerEvent]) -> Void)? = nil
    ) async throws -> [RawFrame] {
        var frames: [RawFrame] = []
        try await withServer(settings: settings, script) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + bytes)
            frames = await client.framesUntilClosed()
            events?(await server.journal.wait { !$0.connectionClosings.isEmpty })
        }
        return frames
    }

    @Test func `opening and resetting streams rapidly ends the connection`() async throws {
        let pairs = FloodTests.streams.flatMap { id -> [UInt8] in RawFrame.request(id) + RawFrame.reset(id) }
        let frames = try await flood(pairs) { events in
            // As many as may be reset at once, and the one too many.
            #expect(events.targets.count == 21)
            #expect(events.streamClosings.count == events.targets.count)
        }
        #expect(frames.first(.goAway).map { $0.errorCode != 0 } == true)
    }

    @Test func `making the server reset streams rapidly ends the connection`() async throws {
        // A window that overflows is an error of its stream, which the server has to reset.
        let pairs = FloodTests.streams.flatMap { id -> [UInt8] in
            RawFrame.request(id) + RawFrame.frame(.windowUpdate, stream: id, RawFrame.bytes(0x7FFF_FFFF))
        }
        let frames = try await flood(pairs)
        #expect(frames.first(.goAway)?.errorCode == FloodTests.calm)
    }

    @Test(arguments: [RawFrame.Kind.ping, .settings, .priority])
    func `frames that bring nothing end the connection`(kind: RawFrame.Kind) async throws {
        let frame =
            switch kind {
            case .ping: RawFrame.frame(.ping, [UInt8](repeating: 7, count: 8))
            case .priority: RawFrame.frame(.priority, stream: 3, [0, 0, 0, 0, 7])
            case .settings, .unknown, .data, .headers, .reset, .pushPromise, .goAway, .windowUpdate, .continuation:
                RawFrame.frame(kind)
            }
        let frames = try await flood(FloodTests.times(60, frame))
        #expect(frames.first(.goAway)?.errorCode == FloodTests.calm)
    }

    @Test func `frames of unknown kinds are ignored`() async throws {
        try await withServer { server in
            let client = try await server.client()
            client.send(
                RawFrame.hello + FloodTests.times(5, RawFrame.frame(.unknown, stream: 1, [1, 2, 3])) + RawFrame.request(1))
            #expect(await client.frames(until: .headers).first(.goAway) == nil)
        }
    }

    @Test func `empty data frames end the connection`() async throws {
        let empty = RawFrame.frame(.data, stream: 1)
        let frames = try await flood(RawFrame.request(1, method: "POST", isEnd: false) + FloodTests.times(60, empty))
        #expect(frames.first(.goAway)?.errorCode == FloodTests.calm)
    }

    @Test func `as many idle frames as are allowed at once do no harm`() async throws {
        // The client's own SETTINGS is one of the forty.
        try await withServer(settings: FloodTests.small) { server in
            let client = try await server.client()
            let pings = FloodTests.times(39, RawFrame.frame(.ping, [UInt8](repeating: 7, count: 8)))
            client.send(RawFrame.hello + pings + RawFrame.request(1))
            let frames = await client.frames(until: .headers)
            #expect(frames.first(.goAway) == nil)
            #expect(frames.all(.ping).count == 39)
        }
    }

    @Test func `a head in endless continuations ends the connection`() async throws {
        let head = RawFrame.frame(.headers, flags: 1, stream: 1, RawFrame.head())
        let more = RawFrame.frame(.continuation, stream: 1, [0, 1, 0x78, 1, 0x79])
        let frames = try await flood(head + FloodTests.times(40, more)) { events in #expect(events.targets.isEmpty) }
        #expect(frames.first(.headers) == nil)
    }

    @Test func `more settings in one frame than anybody needs end the connection`() async throws {
        let entries = FloodTests.times(40, [0, 0x77, 0, 0, 0, 1])
        let frames = try await flood(RawFrame.frame(.settings, entries) + RawFrame.request(1)) { events in
            #expect(events.targets.isEmpty)
        }
        #expect(frames.first(.headers) == nil)
    }

    @Test func `answers that nobody reads end the connection`() async throws {
        let settings = FloodTests.settings { $0.unreadAnswersMax = 10 }
        try await withServer(settings: settings) { server in
            let client = try await server.client()
            client.send(RawFrame.hello)
            for _ in 0..<100 { client.send(RawFrame.frame(.ping, [UInt8](repeating: 7, count: 8))) }
            let events = await server.journal.wait { !$0.connectionClosings.isEmpty }
            #expect(events.targets.isEmpty)
        }
    }

    private static let nonsense: [(String, [UInt8])] = [
        ("not HTTP/2", Array("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".utf8)),
        ("data on stream 0", RawFrame.hello + RawFrame.frame(.data, stream: 0, [1])),
        ("a ping of 7 bytes", RawFrame.hello + RawFrame.frame(.ping, [1, 2, 3, 4, 5, 6, 7])),
        ("an even stream", RawFrame.hello + RawFrame.request(2)),
        ("a frame that is too large", RawFrame.hello + RawFrame.frame(.data, stream: 1, [UInt8](repeating: 0, count: 16_385))),
        ("HPACK that is none", RawFrame.hello + RawFrame.frame(.headers, flags: 5, stream: 1, [0xFF, 0xFF, 0xFF])),
    ]

    @Test(arguments: nonsense)
    func `what is no HTTP/2 ends the connection`(what: String, bytes: [UInt8]) async throws {
        try await withServer { server in
            let client = try await server.client()
            client.send(bytes)
            let frames = await client.framesUntilClosed()
            #expect(frames.first(.headers) == nil)
            #expect(server.journal.all.targets.isEmpty)
        }
    }
}
