import HTTPTransport
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

/// How long an HTTP/2 server waits for what.
@Suite(.timeLimit(.minutes(5)))
struct HTTP2PatienceTests {
    private static func settings(_ change: (inout HTTP2Settings) -> Void) -> HTTPServerSettings {
        FloodTests.settings {
            // The shortest of the limits says how often the clock is looked at.
            $0.headSecondsMax = 1
            change(&$0)
        }
    }

    @Test func `a client that sends no settings is cut off`() async throws {
        try await withServer(settings: HTTP2PatienceTests.settings { _ in }) { server in
            let client = try await server.client()
            client.send(RawFrame.preface)
            let events = await server.journal.wait { !$0.connectionClosings.isEmpty }
            #expect(events.connectionClosings == [.timedOut("the client's SETTINGS")])
        }
    }

    @Test func `a head that does not end cuts the client off`() async throws {
        try await withServer(settings: HTTP2PatienceTests.settings { _ in }) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.frame(.headers, flags: RawFrame.endStream, stream: 1, RawFrame.head()))
            let events = await server.journal.wait { !$0.connectionClosings.isEmpty }
            #expect(events.connectionClosings == [.timedOut("the head of a request")])
            #expect(events.targets.isEmpty)
        }
    }

    @Test func `an idle connection is closed in order, with a goodbye`() async throws {
        let settings = HTTP2PatienceTests.settings { $0.idleSecondsMax = 1 }
        try await withServer(settings: settings) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1))
            let frames = await client.framesUntilClosed()
            #expect(frames.first(.headers)?.stream == 1)
            #expect(frames.first(.goAway)?.errorCode == 0)
            #expect(client.journal.all.wasClosedInOrder)
        }
    }

    @Test func `a connection that waits for an answer is not idle`() async throws {
        let settings = HTTP2PatienceTests.settings { $0.idleSecondsMax = 1 }
        try await withServer(settings: settings, Script(onEnd: { _, _ in })) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1))
            await server.journal.wait { $0.endCount == 1 }
            // Longer than the connection above was let live.
            try await Task.sleep(for: .milliseconds(3_200))
            try await server.withStreams { $0.first?.respond(.status(204), isEnd: true) }
            #expect(await client.frames(until: .headers).first(.headers)?.stream == 1)
        }
    }

    @Test func `a body that comes too slowly is reset, and no other`() async throws {
        let settings = HTTP2PatienceTests.settings {
            $0.bodyGraceSeconds = 0
            $0.bodyBytesPerSecondMin = 1_000
        }
        try await withServer(settings: settings, Script(onEnd: { _, _ in })) { server in
            let client = try await server.client()
            let part = RawFrame.frame(.data, stream: 1, Array("slow".utf8))
            client.send(RawFrame.hello + RawFrame.request(1, method: "POST", isEnd: false) + part + RawFrame.request(3))
            let reset = try #require(await client.frames(until: .reset).first(.reset))
            #expect(reset.stream == 1)
            #expect(reset.errorCode == 8)
            #expect(await server.journal.wait { !$0.streamClosings.isEmpty }.streamClosings == [.cancelled])
            try await server.withStreams { $0.first?.respond(.status(204), isEnd: true) }
            #expect(await client.frames(until: .headers).first(.headers)?.stream == 3)
        }
    }

    @Test(arguments: [true, false])
    func `a body may come as slowly as it likes once it is one half of a conversation`(isAnswered: Bool) async throws {
        let settings = HTTP2PatienceTests.settings {
            $0.bodyGraceSeconds = 0
            $0.bodyBytesPerSecondMin = 1_000
        }
        let script = Script(
            onHead: { head, stream in
                guard head.fields.first(named: "x-talks") != nil, let stream = stream as? HTTP2Stream else { return }
                if isAnswered { stream.respond(.status(200), isEnd: false) } else { stream.isConversation = true }
            }, onEnd: { _, _ in })
        try await withServer(settings: settings, script) { server in
            let client = try await server.client()
            client.send(
                RawFrame.hello + RawFrame.request(1, method: "POST", isEnd: false, [("x-talks", "1")])
                    + RawFrame.request(3, method: "POST", isEnd: false))
            // Both are looked at together, and the other one is what ends.
            let reset = try #require(await client.frames(until: .reset).first(.reset))
            #expect(reset.stream == 3)
            client.send(RawFrame.frame(.data, flags: RawFrame.endStream, stream: 1, Array("slow".utf8)))
            await server.journal.wait { $0.bodyByteCount == 4 && $0.endCount == 1 }
        }
    }

    @Test func `a stream whose client grants no window is reset, and no other`() async throws {
        let settings = HTTP2PatienceTests.settings { $0.writeStallSecondsMax = 1 }
        let script = Script(onEnd: { head, stream in
            stream.respond(.status(200), body: [UInt8](repeating: 0x2A, count: head.method == "PUT" ? 5_000 : 10))
        })
        try await withServer(settings: settings, script) { server in
            let client = try await server.client()
            let window = RawFrame.frame(.settings, [0, 4] + RawFrame.bytes(1_000))
            client.send(RawFrame.preface + window + RawFrame.request(1, method: "PUT"))
            let reset = try #require(await client.frames(until: .reset).first(.reset))
            #expect(reset.stream == 1)
            client.send(RawFrame.request(3))
            let frames = await client.frames(until: .headers, count: 2)
            #expect(frames.all(.headers).last?.stream == 3)
        }
    }
}
