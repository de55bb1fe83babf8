import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

/// Exchanges over HTTP/2, from both ends.
@Suite(.timeLimit(.minutes(5)))
struct StreamTests {
    static func head(_ method: String = "GET", _ target: String = "/") -> HTTPRequestHead {
        HTTPRequestHead(method: method, target: target, authority: "localhost")
    }

    @Test func `a reset by the client is told to the handler`() async throws {
        try await withServer(Script(onEnd: { _, _ in })) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1) + RawFrame.request(3))
            await server.journal.wait { $0.endCount == 2 }
            client.send(RawFrame.reset(1, code: 8))
            let events = await server.journal.wait { !$0.streamClosings.isEmpty }
            #expect(events.streamClosings == [.cancelledByPeer])
            // The other one goes on.
            try await server.withStreams { $0.first?.respond(.status(204), isEnd: true) }
            #expect(await client.frames(until: .headers).first(.headers)?.stream == 3)
        }
    }

    @Test func `what is written behind the head of an answer to HEAD is dropped`() async throws {
        let script = Script(onEnd: { _, stream in stream.respond(.status(502), body: Array("page".utf8)) })
        try await withServer(script) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1, method: "HEAD") + RawFrame.request(3))
            let frames = await client.frames(until: .data)
            let head = frames.first { $0.stream == 1 }
            #expect(head?.isA(.headers) == true && (head?.flags ?? 0) & RawFrame.endStream != 0)
            #expect(frames.filter { $0.isA(.data) }.map(\.stream) == [3])
        }
    }

    @Test(
        arguments: [
            (StreamReset.cancel, 8, StreamError.cancelledByPeer), (.internalError, 2, .cancelledByPeer),
            (.refused, 7, .refusedByPeer), (.overloaded, 11, .cancelledByPeer),
        ] as [(StreamReset, UInt32, StreamError)])
    func `a reset by the handler carries its reason to the client`(
        reason: StreamReset, code: UInt32, error: StreamError
    ) async throws {
        try await withServer(Script(onEnd: { _, stream in stream.reset(reason) })) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1))
            #expect(await client.frames(until: .reset).first(.reset)?.errorCode == code)
            let result: CallResult = try await server.door.call { [address = server.address] loop, done in
                let caller = try HTTP2Caller.open(to: address, tls: nil, on: loop)
                caller.send(StreamTests.head()) { done($0) }
            }
            #expect(result.error == error)
        }
    }

    @Test func `an answer that is complete before the request stops the request without an error`() async throws {
        let script = Script(onHead: { _, stream in stream.respond(.status(413), body: Array("no".utf8)) })
        try await withServer(script) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1, method: "POST", isEnd: false))
            let frames = await client.frames(until: .reset)
            // The whole answer first, then the reset with NO_ERROR (RFC 9113 §8.1).
            let own = frames.filter { $0.stream == 1 }
            #expect(own.map(\.kind) == [1, 0, 3])
            #expect(own.last?.errorCode == 0)
            #expect(own.dropLast().last.map { $0.flags & RawFrame.endStream } == RawFrame.endStream)
            let events = await server.journal.wait { !$0.streamClosings.isEmpty }
            #expect(events.streamClosings == [nil])
        }
    }

    /// Half of a small window is worth a WINDOW_UPDATE, and an eighth of a large one.
    @Test(arguments: [(window: 100_000, piece: 50_000), (window: 4 * 1024 * 1024, piece: 512 * 1024)])
    func `a reader that consumes nothing gets one window and no more`(window: Int, piece: Int) async throws {
        let settings = FloodTests.settings { $0.streamWindowByteCount = window }
        let script = Script(onBody: { _, _ in })
        try await withServer(settings: settings, script) { server in
            try await server.door.run { [address = server.address] loop in
                let caller = try HTTP2Caller.open(to: address, tls: nil, on: loop)
                caller.send(StreamTests.head("POST"), body: [UInt8](repeating: 0x2A, count: 3 * window)) { _ in }
            }
            await server.journal.wait { $0.bodyByteCount >= window }
            try await server.withStreams { $0.first?.consume(piece - 1) }
            for _ in 0..<30 { try await server.door.run { _ in } }
            #expect(server.journal.all.bodyByteCount == window)
            try await server.withStreams { $0.first?.consume(1) }
            await server.journal.wait { $0.bodyByteCount >= window + piece }
            for _ in 0..<30 { try await server.door.run { _ in } }
            #expect(server.journal.all.bodyByteCount == window + piece)
        }
    }

    @Test func `a stream that nobody reads stops no other`() async throws {
        let settings = FloodTests.settings { $0.streamWindowByteCount = 64 * 1024 }
        let script = Script(
            onBody: { count, stream in
                if (stream as? HTTP2Stream)?.id != 1 { stream.consume(count) }
            })
        try await withServer(settings: settings, script) { server in
            let body = [UInt8](repeating: 0x2A, count: 3_000_000)
            let result: CallResult = try await server.door.call { [address = server.address] loop, done in
                let caller = try HTTP2Caller.open(to: address, tls: nil, on: loop)
                caller.send(StreamTests.head("POST", "/stalled"), body: body) { _ in }
                caller.send(StreamTests.head("POST", "/flowing"), body: body) { done($0) }
            }
            #expect(result.status == 204)
            #expect(result.error == nil)
            #expect(server.journal.all.endCount == 1)
        }
    }

    @Test func `a client that grants no window on one stream still gets the others`() async throws {
        let body = [UInt8](repeating: 0x2A, count: 200_000)
        let script = Script(onEnd: { head, stream in stream.respond(.status(200), body: body) })
        try await withServer(script) { server in
            let client = try await server.client()
            // Windows of 1,000 bytes a stream and plenty for the connection; only stream 3 is given more.
            let settings = RawFrame.frame(.settings, [0, 4] + RawFrame.bytes(1_000))
            client.send(
                RawFrame.preface + settings + RawFrame.frame(.windowUpdate, RawFrame.bytes(1 << 20)) + RawFrame.request(1)
                    + RawFrame.request(3) + RawFrame.frame(.windowUpdate, stream: 3, RawFrame.bytes(1 << 20)))
            let bytes = await client.journal.wait { events in
                events.isClosed
                    || RawFrame.all(in: events.bytes).contains { $0.stream == 3 && $0.isA(.data) && $0.flags & 1 == 1 }
            }.bytes
            let data = RawFrame.all(in: bytes).all(.data)
            #expect(data.filter { $0.stream == 3 }.reduce(0) { $0 + $1.payload.count } == body.count)
            #expect(data.filter { $0.stream == 1 }.reduce(0) { $0 + $1.payload.count } == 1_000)
        }
    }

    @Test func `a head that is all there is ends its stream, told so at once or in the same turn`() async throws {
        let script = Script(onEnd: { head, stream in
            stream.respond(.status(200), isEnd: false)
            stream.finish(trailers: nil)
        })
        try await withServer(script) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1))
            let answer = try #require(await client.frames(until: .headers).first(.headers))
            #expect(answer.flags & RawFrame.endStream != 0)
        }
    }

    @Test func `a head whose body comes later does not wait for it`() async throws {
        let script = Script(onEnd: { _, stream in stream.respond(.status(200), isEnd: false) })
        try await withServer(script) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1))
            let answer = try #require(await client.frames(until: .headers).first(.headers))
            #expect(answer.flags & RawFrame.endStream == 0)
            try await server.withStreams { $0.first?.finish(trailers: nil) }
            let end = try #require(await client.frames(until: .data).first(.data))
            #expect(end.payload.isEmpty && end.flags & RawFrame.endStream != 0)
        }
    }

    @Test func `trailers without a body are trailers`() async throws {
        var trailers = HTTPFields()
        trailers.append("x-sum", "7")
        let script = Script(onEnd: { [trailers] _, stream in
            stream.respond(.status(200), isEnd: false)
            stream.finish(trailers: trailers)
        })
        try await withServer(script) { server in
            let result: CallResult = try await server.door.call { [address = server.address] loop, done in
                let caller = try HTTP2Caller.open(to: address, tls: nil, on: loop)
                caller.send(StreamTests.head()) { done($0) }
            }
            #expect(result.error == nil && result.body.isEmpty)
            #expect(result.trailers?.first(named: "x-sum") == "7")
        }
    }

    @Test func `too many trailers end their stream and no other`() async throws {
        try await withServer(Script()) { server in
            let client = try await server.client()
            // Without indexing, like the fields of a head.
            let trailers = (0...100).flatMap { RawFrame.field("x-\($0)", "1") }
            client.send(
                RawFrame.hello + RawFrame.request(1, method: "POST", isEnd: false)
                    + RawFrame.frame(.headers, flags: RawFrame.endHeaders | RawFrame.endStream, stream: 1, trailers)
                    + RawFrame.request(3))
            let frames = await client.frames(until: .headers)
            #expect(frames.first(.reset)?.stream == 1)
            #expect(frames.first(.headers)?.stream == 3)
        }
    }

    @Test func `what does not begin with settings is not HTTP/2`() async throws {
        let door = try EventLoop()
        defer { door.stop() }
        let listener = try await RawListener.start(on: door)
        async let result: CallResult = door.call { loop, done in
            let caller = try HTTP2Caller.open(to: listener.address, tls: nil, on: loop)
            caller.send(StreamTests.head()) { done($0) }
        }
        let server = try await RawPeer.accept(on: listener)
        server.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        #expect(try await result.error == .connectionLost(.aborted("what it sent is not HTTP/2")))
    }

    @Test func `trailers of a response come after its body`() async throws {
        let script = Script(onEnd: { _, stream in
            stream.respond(.status(200), isEnd: false)
            stream.write(Array("body".utf8))
            var trailers = HTTPFields()
            trailers.append("x-sum", "7")
            stream.finish(trailers: trailers)
        })
        try await withServer(script) { server in
            let result: CallResult = try await server.door.call { [address = server.address] loop, done in
                let caller = try HTTP2Caller.open(to: address, tls: nil, on: loop)
                caller.send(StreamTests.head()) { done($0) }
            }
            #expect(result.body == Array("body".utf8))
            #expect(result.trailers?.first(named: "x-sum") == "7")
        }
    }

    @Test func `a client that vanishes takes its streams with it, each told once`() async throws {
        try await withServer(Script(onEnd: { _, _ in })) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1) + RawFrame.request(3) + RawFrame.request(5))
            await server.journal.wait { $0.endCount == 3 }
            client.reset()
            let events = await server.journal.wait { !$0.connectionClosings.isEmpty }
            #expect(events.streamClosings.count == 3)
            #expect(events.streamClosings.allSatisfy { if case .connectionLost? = $0 { true } else { false } })
        }
    }
}
