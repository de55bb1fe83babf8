import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

@Suite(.timeLimit(.minutes(5)))
struct KeepAliveTests {
    /// Answers with the target of the request.
    static let echo = Script(
        onEnd: { head, stream in
            let body = Array("[\(head.target)]".utf8)
            stream.respond(.status(200, ("content-length", "\(body.count)")), body: body)
        })
    /// Answers a while after the request is whole, so that the next ones have to wait.
    static let lateEcho = Script(onEnd: { _, stream in
        let bound = LoopBound(stream, on: stream.connection.channel.loop)
        stream.connection.channel.loop.door.execute { loop in
            bound.value(on: loop).respond(.status(200, ("content-length", "1")), body: [0x2A])
        }
    })

    static func answer(_ body: String, _ connection: String = "") -> String {
        "HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\(connection)\r\n\(body)"
    }

    @Test func `requests in one write are answered one after the other`() async throws {
        try await withServer(KeepAliveTests.echo) { server in
            let client = try await server.client()
            client.send((1...60).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            #expect(await client.text(endingWith: "[/60]") == (1...60).map { KeepAliveTests.answer("[/\($0)]") }.joined())
        }
    }

    @Test func `a pipelined request waits for the answer before it`() async throws {
        try await withServer(KeepAliveTests.lateEcho) { server in
            let client = try await server.client()
            client.send((1...20).map { "POST /\($0) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" }.joined())
            let whole = String(repeating: KeepAliveTests.answer("*"), count: 20)
            #expect(await client.journal.wait { $0.byteCount >= whole.utf8.count }.text == whole)
            // Never two at once: each is over before the next begins.
            var openCount = 0
            for event in server.journal.all {
                switch event {
                case .head: openCount += 1
                case .streamClosed(let error):
                    openCount -= 1
                    #expect(error == nil)
                case .opened, .body, .end, .connectionClosed: break
                }
                #expect(openCount <= 1)
            }
            #expect(server.journal.all.targets == (1...20).map { "/\($0)" })
        }
    }

    @Test func `more pipelined requests than are kept waiting come through as well`() async throws {
        try await withServer(KeepAliveTests.lateEcho) { server in
            let client = try await server.client()
            let padding = String(repeating: "p", count: 10_000)
            client.send((1...40).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\nX-P: \(padding)\r\n\r\n" }.joined())
            let whole = String(repeating: KeepAliveTests.answer("*"), count: 40)
            #expect(await client.journal.wait { $0.isClosed || $0.byteCount >= whole.utf8.count }.text == whole)
        }
    }

    @Test func `it does not matter where the bytes of two requests are cut`() async throws {
        let first = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        let bytes = Array((first + "GET /b HTTP/1.1\r\nHost: a\r\n\r\n").utf8)
        try await withServer(KeepAliveTests.echo) { server in
            for cut in 1..<bytes.count {
                let client = try await server.client()
                client.send(Array(bytes[..<cut]))
                try await client.settle()
                client.send(Array(bytes[cut...]))
                #expect(
                    await client.text(endingWith: "[/b]") == KeepAliveTests.answer("[/a]") + KeepAliveTests.answer("[/b]"),
                    "cut after \(cut) bytes")
                client.close()
            }
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n", false, ""),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n", false, ""),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", true, "connection: close\r\n"),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n", true, "connection: close\r\n"),
        ("GET / HTTP/1.0\r\nHost: a\r\n", true, "connection: close\r\n"),
        ("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n", false, "connection: keep-alive\r\n"),
    ])
    func `the connection lasts as long as the client says`(head: String, closes: Bool, field: String) async throws {
        try await withServer(KeepAliveTests.echo) { server in
            let client = try await server.client()
            // What comes after the last request is thrown away unread.
            client.send(head + "\r\n" + "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let second = KeepAliveTests.answer("[/2]", "connection: close\r\n")
            #expect(await client.textUntilClosed() == KeepAliveTests.answer("[/]", field) + (closes ? "" : second))
            #expect(client.journal.all.wasClosedInOrder)
            #expect(server.journal.all.targets == (closes ? ["/"] : ["/", "/2"]))
        }
    }

    @Test func `a drained connection answers what it has and says that it closes`() async throws {
        try await withServer(Script(onEnd: { _, _ in })) { server in
            let client = try await server.client()
            client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
            await server.journal.wait { $0.endCount == 1 }
            try await server.withConnections { $0.first?.drain() }
            try await server.withStreams { $0.first?.respond(.status(200, ("content-length", "1")), body: [0x2A]) }
            #expect(await client.textUntilClosed() == KeepAliveTests.answer("*", "connection: close\r\n"))
            #expect(server.journal.all.targets == ["/1"])
        }
    }

    @Test func `a drained connection with nothing to do closes at once`() async throws {
        try await withServer { server in
            let client = try await server.client()
            client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = await client.text(endingWith: "\r\n\r\n")
            try await server.withConnections { $0.first?.drain() }
            #expect(await client.textUntilClosed().hasSuffix("\r\n\r\n"))
            #expect(client.journal.all.wasClosedInOrder)
        }
    }
}
