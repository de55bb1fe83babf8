import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

/// How the ends of messages are told over HTTP/1.1.
@Suite(.timeLimit(.minutes(5)))
struct FramingTests {
    private static func get(_ method: String = "GET", version: String = "1.1") -> String {
        "\(method) / HTTP/\(version)\r\nHost: a\r\nConnection: close\r\n\r\n"
    }

    /// What the server says to a request that is the connection's last.
    private func answer(_ request: String, _ onEnd: @escaping @Sendable (HTTPRequestHead, HTTPStream) -> Void) async throws
        -> String
    {
        var text = ""
        try await withServer(Script(onEnd: onEnd)) { server in
            let client = try await server.client()
            client.send(request)
            text = await client.textUntilClosed()
            #expect(client.journal.all.wasClosedInOrder)
        }
        return text
    }

    @Test(arguments: [200, 404, 500])
    func `an answer to HEAD has the length and not the body`(status: Int) async throws {
        let text = try await answer(FramingTests.get("HEAD")) { _, stream in
            stream.respond(.status(status, ("content-length", "5")), body: Array("hello".utf8))
        }
        #expect(text.hasPrefix("HTTP/1.1 \(status) "))
        #expect(text.contains("content-length: 5\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test(arguments: [(204, "5", false), (304, "5", true), (304, nil, false)] as [(Int, String?, Bool)])
    func `an answer without content ends with its head`(status: Int, length: String?, hasLength: Bool) async throws {
        let text = try await answer(FramingTests.get()) { _, stream in
            let head = length.map { HTTPResponseHead.status(status, ("content-length", $0)) } ?? .status(status)
            stream.respond(head, body: Array("hello".utf8))
        }
        #expect(text.contains("content-length") == hasLength)
        #expect(!text.contains("transfer-encoding"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test func `a body of unknown length is chunked, with its trailers`() async throws {
        let text = try await answer(FramingTests.get()) { _, stream in
            stream.respond(.status(200), isEnd: false)
            stream.write(Array("hello".utf8))
            stream.write([])
            stream.write(Array("0123456789abcdef".utf8))
            var trailers = HTTPFields()
            trailers.append("x-sum", "7")
            stream.finish(trailers: trailers)
        }
        #expect(
            text == "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
                + "5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nx-sum: 7\r\n\r\n")
    }

    @Test func `a body of unknown length ends with the connection for a client of HTTP/1.0`() async throws {
        let request = "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
        let text = try await answer(request) { _, stream in
            stream.respond(.status(200), isEnd: false)
            stream.write(Array("hello".utf8))
            stream.finish(trailers: nil)
        }
        #expect(text == "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello")
    }

    @Test(arguments: [0, 4, 6])
    func `an answer that breaks its own length breaks the connection`(written: Int) async throws {
        let script = Script(onEnd: { _, stream in
            stream.respond(.status(200, ("content-length", "5")), isEnd: false)
            stream.write([UInt8](repeating: 0x2A, count: written))
            stream.finish(trailers: nil)
        })
        try await withServer(script) { server in
            let client = try await server.client()
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let text = await client.textUntilClosed()
            // Never a whole answer, and never more than was announced.
            #expect(!text.contains("*****"))
            #expect(!client.journal.all.wasClosedInOrder)
            let closings = await server.journal.wait { !$0.streamClosings.isEmpty }.streamClosings
            #expect(closings.count == 1)
            #expect(closings != [nil])
        }
    }

    @Test func `chunks and trailers of a request reach the handler`() async throws {
        try await withServer { server in
            let client = try await server.client()
            client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n")
            await server.journal.wait { $0.bodyByteCount == 3 }
            client.send("A\r\n0123456789\r\n0\r\nX-Sum: 7\r\n\r\n")
            let events = await server.journal.wait { $0.endCount == 1 }
            #expect(events.bodyByteCount == 13)
            #expect(events.trailers.first??.first(named: "x-sum") == "7")
        }
    }

    @Test func `a request with a length ends after it`() async throws {
        try await withServer { server in
            let client = try await server.client()
            client.send("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
            let events = await server.journal.wait { $0.endCount == 2 }
            #expect(events.bodyByteCount == 3)
            #expect(events.targets == ["/1", "/2"])
        }
    }

    @Test(arguments: ["1.1", "1.0"])
    func `interim answers come before the final one, but not to HTTP/1.0`(version: String) async throws {
        let text = try await answer(FramingTests.get(version: version)) { _, stream in
            stream.sendInterim(.status(103, ("link", "</a>")))
            stream.respond(.status(204), isEnd: true)
            stream.sendInterim(.status(103))
        }
        let interim = version == "1.1" ? "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" : ""
        #expect(text == interim + "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
    }

    @Test func `a client that waits for 100 sends its body after it`() async throws {
        let script = Script(onHead: { _, stream in stream.sendInterim(.status(100)) })
        try await withServer(script) { server in
            let client = try await server.client()
            client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(await client.text(endingWith: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            client.send("hi")
            #expect(await client.text(endingWith: "204 No Content\r\n\r\n").hasSuffix("HTTP/1.1 204 No Content\r\n\r\n"))
        }
    }
}
