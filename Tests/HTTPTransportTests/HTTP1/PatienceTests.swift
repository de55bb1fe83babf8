import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

/// How long an HTTP/1.1 server waits for what, and how much it takes in meanwhile.
@Suite(.timeLimit(.minutes(5)))
struct PatienceTests {
    private static func settings(_ change: (inout HTTP1Settings) -> Void) -> HTTPServerSettings {
        var settings = HTTPServerSettings.patient
        change(&settings.http1)
        return settings
    }

    @Test func `an idle connection is closed in order`() async throws {
        try await withServer(settings: PatienceTests.settings { $0.idleSecondsMax = 1 }) { server in
            let client = try await server.client()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await client.textUntilClosed() == "HTTP/1.1 204 No Content\r\n\r\n")
            #expect(client.journal.all.wasClosedInOrder)
            #expect(server.journal.all.streamClosings.count == 1)
        }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX-"])
    func `a head that does not end is refused as late`(part: String) async throws {
        let settings = PatienceTests.settings {
            $0.headSecondsMax = 1
            $0.lingerSecondsMax = 1
        }
        try await withServer(settings: settings) { server in
            let client = try await server.client()
            client.send(part)
            let text = await client.textUntilClosed()
            #expect(text.hasPrefix("HTTP/1.1 408 ") && text.contains("connection: close\r\n"), "\(text)")
            #expect(server.journal.all.targets.isEmpty)
        }
    }

    @Test(arguments: ["", "G", "GET / HTTP/1.1\r\nHo"])
    func `who does not say where it wants to go is dropped`(part: String) async throws {
        try await withServer(arrivalSecondsMax: 1) { server in
            let client = try await server.client()
            if !part.isEmpty { client.send(part) }
            #expect(await client.textUntilClosed() == "")
            #expect(server.journal.all.isEmpty)
        }
    }

    @Test func `a head that comes late after an answer is refused as late`() async throws {
        try await withServer(settings: PatienceTests.settings { $0.headSecondsMax = 1 }) { server in
            let client = try await server.client()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n")
            let text = await client.textUntilClosed()
            #expect(text.hasPrefix("HTTP/1.1 204 ") && text.contains("HTTP/1.1 408 "), "\(text)")
        }
    }

    @Test func `a body that comes too slowly breaks the connection`() async throws {
        let settings = PatienceTests.settings {
            $0.bodyGraceSeconds = 0
            $0.bodyBytesPerSecondMin = 1_000
        }
        try await withServer(settings: settings) { server in
            let client = try await server.client()
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\nslow")
            let events = await server.journal.wait { !$0.connectionClosings.isEmpty }
            guard case .connectionLost(.timedOut)? = events.streamClosings.first ?? nil else {
                Issue.record("closed as \(events.streamClosings)")
                return
            }
            _ = await client.textUntilClosed()
            #expect(!client.journal.all.wasClosedInOrder)
        }
    }

    @Test func `a body that the handler holds up is not slow`() async throws {
        let settings = PatienceTests.settings {
            $0.bodyGraceSeconds = 0
            $0.bodyBytesPerSecondMin = 1_000
        }
        try await withServer(settings: settings, Script(onBody: { _, _ in })) { server in
            let client = try await server.client()
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nslow")
            await server.journal.wait { $0.bodyByteCount == 4 }
            // Longer than the clock of the connection above needed to give up.
            try await Task.sleep(for: .milliseconds(2_200))
            client.send("!")
            await server.journal.wait { $0.endCount == 1 || !$0.connectionClosings.isEmpty }
            #expect(server.journal.all.endCount == 1)
        }
    }

    @Test func `a client that does not read is cut off`() async throws {
        let script = Script(onEnd: { _, stream in
            stream.respond(.status(200), isEnd: false)
            stream.write([UInt8](repeating: 0x2A, count: 16 * 1024 * 1024))
            stream.finish(trailers: nil)
        })
        try await withServer(settings: PatienceTests.settings { $0.writeStallSecondsMax = 1 }, script) { server in
            let client = try await server.client()
            client.stopReading()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let events = await server.journal.wait { !$0.connectionClosings.isEmpty }
            #expect(events.streamClosings == [.connectionLost(.timedOut("the client to read"))])
        }
    }

    @Test func `a handler that does not consume holds the client up`() async throws {
        let byteCount = 12 * 1024 * 1024
        let settings = PatienceTests.settings { $0.unconsumedByteCountMax = 64 * 1024 }
        try await withServer(settings: settings, Script(onBody: { _, _ in })) { server in
            let client = try await server.client()
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(byteCount)\r\n\r\n")
            client.send([UInt8](repeating: 0x2A, count: byteCount))
            await server.journal.wait { $0.bodyByteCount >= 64 * 1024 }
            for _ in 0..<20 { try await client.settle() }
            // One read may go past the limit, and nothing is read after it.
            let held = server.journal.all.bodyByteCount
            #expect(held <= 64 * 1024 + Loop.scratchByteCount)
            // Consuming less than half gives nothing back yet; consuming all of it lets the rest come.
            try await server.withStreams { $0.first?.consume(held) }
            await server.journal.wait { $0.bodyByteCount > held }
            for _ in 0..<20 { try await client.settle() }
            #expect(server.journal.all.bodyByteCount - held <= 64 * 1024 + Loop.scratchByteCount)
            #expect(server.journal.all.endCount == 0)
        }
    }

    @Test func `what is sent is told when it has left, and not before`() async throws {
        let byteCount = 24 * 1024 * 1024
        let sent = Journal<Int>()
        let script = Script(
            onEnd: { _, stream in
                stream.respond(.status(200, ("content-length", "\(byteCount)")), isEnd: false)
                stream.write([UInt8](repeating: 0x2A, count: byteCount))
            }, onSent: { count, _ in sent.add(count) })
        try await withServer(script) { server in
            let client = try await server.client()
            client.stopReading()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await server.journal.wait { $0.endCount == 1 }
            for _ in 0..<5 { try await client.settle() }
            // The kernel does not take all of it, so nothing may be said to have left.
            #expect(sent.all.isEmpty)
            client.goOnReading()
            #expect(await sent.wait { $0.reduce(0, +) >= byteCount }.reduce(0, +) == byteCount)
        }
    }

    @Test func `a client that vanishes is told to the handler once`() async throws {
        try await withServer(Script(onEnd: { _, _ in })) { server in
            let client = try await server.client()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await server.journal.wait { $0.endCount == 1 }
            client.reset()
            let events = await server.journal.wait { !$0.connectionClosings.isEmpty }
            #expect(events.streamClosings.count == 1)
            #expect(events.streamClosings != [nil])
        }
    }

    @Test func `a client that ends in the middle of its request is told to the handler`() async throws {
        try await withServer { server in
            let client = try await server.client()
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
            await server.journal.wait { $0.bodyByteCount == 4 }
            client.finishSending()
            let events = await server.journal.wait { !$0.connectionClosings.isEmpty }
            #expect(events.endCount == 0)
            #expect(events.streamClosings == [.connectionLost(.closedByPeer)])
        }
    }

    @Test func `a client that ends before its answer is taken for gone`() async throws {
        try await withServer(Script(onEnd: { _, _ in })) { server in
            let client = try await server.client()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await server.journal.wait { $0.endCount == 1 }
            client.finishSending()
            let events = await server.journal.wait { !$0.connectionClosings.isEmpty }
            #expect(events.streamClosings == [.connectionLost(.closedByPeer)])
        }
    }

    @Test func `a client that ends while its answer is on the way gets all of it`() async throws {
        let byteCount = 8 * 1024 * 1024
        let script = Script(onEnd: { _, stream in
            stream.respond(.status(200, ("content-length", "\(byteCount)")), body: [UInt8](repeating: 0x2A, count: byteCount))
        })
        try await withServer(script) { server in
            let client = try await server.client()
            client.stopReading()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await server.journal.wait { $0.endCount == 1 }
            client.finishSending()
            try await client.settle()
            client.goOnReading()
            #expect(await client.bytesUntilClosed().count > byteCount)
            #expect(client.journal.all.wasClosedInOrder)
        }
    }

    @Test func `a reset by the handler breaks the connection`() async throws {
        try await withServer(Script(onEnd: { _, stream in stream.reset(.internalError) })) { server in
            let client = try await server.client()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await client.textUntilClosed() == "")
            #expect(!client.journal.all.wasClosedInOrder)
        }
    }
}
