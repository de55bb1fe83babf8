import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

/// Requests that could mean one thing to us and another to somebody else.
@Suite(.timeLimit(.minutes(5)))
struct RefusalTests {
    private static func post(_ fields: String, _ body: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n\(body)"
    }
    private static let chunked = "Transfer-Encoding: chunked"

    static let badHeads: [(String, Int)] = [
        (post("Content-Length: 3\r\n\(chunked)", "0\r\n\r\n"), 400),
        (post("\(chunked)\r\nContent-Length: 3", "0\r\n\r\n"), 400),
        (post("Content-Length: 3\r\nContent-Length: 4", "abcd"), 400),
        (post("Content-Length: 3\r\nContent-Length: 3", "abc"), 400),
        (post("Content-Length: 3, 3", "abc"), 400),
        (post("Content-Length: +3", "abc"), 400),
        (post("Content-Length: -1"), 400),
        (post("Content-Length: 0x3", "abc"), 400),
        (post("Content-Length: 99999999999999999999"), 400),
        (post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), 400),
        (post("Transfer-Encoding: chunked, identity", "0\r\n\r\n"), 400),
        (post("Transfer-Encoding: xchunked", "0\r\n\r\n"), 400),
        (post("Transfer-Encoding : chunked", "0\r\n\r\n"), 400),
        (post("X: a\r\n b"), 400),
        (post("X: a\u{0}b"), 400),
        (post("X: a\rb"), 400),
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("POST / HTTP/1.0\r\nHost: a\r\n\(chunked)\r\n\r\n0\r\n\r\n", 400),
        ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        ("GET /" + String(repeating: "x", count: 17 * 1024) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (post("X: " + String(repeating: "x", count: 65 * 1024)), 431),
        (post((0..<101).map { "X-\($0): y" }.joined(separator: "\r\n")), 431),
        (post("Expect: 200-maybe"), 417),
    ]

    @Test(arguments: badHeads)
    func `a head that is no good is answered, and nothing reaches the handler`(request: String, status: Int) async throws {
        try await withServer { server in
            let client = try await server.client()
            // What could be smuggled behind it must not be understood as a request either.
            client.send(request + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            let text = await client.textUntilClosed()
            #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(text)")
            #expect(text.contains("\r\nconnection: close\r\n"))
            #expect(text.contains("\r\ncontent-type: application/problem+json\r\n"))
            #expect(text.ranges(of: "\r\n\r\n").count == 1)
            #expect(client.journal.all.wasClosedInOrder)
            #expect(server.journal.all.targets.isEmpty)
            #expect(server.journal.all.streamClosings.isEmpty)
        }
    }

    @Test(arguments: [
        "x\r\nabc\r\n", "+3\r\nabc\r\n", "0x3\r\nabc\r\n", "3\nabc\r\n", "3\r\nabcd\r\n", "3 \r\nabc\r\n",
        "fffffffffffffffff\r\n", "3;a=\u{1}\r\nabc\r\n", "0\r\nContent-Length: 3\r\n\r\n", "0\r\nX : y\r\n\r\n",
    ])
    func `a body that is no good never ends for the handler`(body: String) async throws {
        try await withServer { server in
            let client = try await server.client()
            client.send(RefusalTests.post(RefusalTests.chunked, body) + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            let text = await client.textUntilClosed()
            #expect(text.hasPrefix("HTTP/1.1 400 "), "\(text)")
            let events = await server.journal.wait { !$0.connectionClosings.isEmpty }
            #expect(events.targets == ["/"])
            #expect(events.endCount == 0)
            #expect(events.streamClosings.count == 1)
            guard case .malformed? = events.streamClosings.first ?? nil else {
                Issue.record("closed as \(events.streamClosings)")
                return
            }
        }
    }

    @Test func `a bad body after the answer has begun breaks the connection`() async throws {
        let script = Script(onHead: { _, stream in
            stream.respond(.status(200), isEnd: false)
            stream.write(Array("so far".utf8))
        })
        try await withServer(script) { server in
            let client = try await server.client()
            client.send(RefusalTests.post(RefusalTests.chunked))
            _ = await client.text(endingWith: "so far\r\n")
            client.send("nonsense\r\n")
            let text = await client.textUntilClosed()
            #expect(!text.contains("400"))
            #expect(!text.hasSuffix("0\r\n\r\n"))
            #expect(!client.journal.all.wasClosedInOrder)
        }
    }

    @Test func `a client that still sends gets the whole refusal`() async throws {
        try await withServer { server in
            let client = try await server.client()
            client.send("GET / HTTP/1.1\r\nHost : a\r\n\r\n")
            // The server has refused and shut its side; these bytes must not turn into a reset that eats the answer.
            for _ in 0..<16 { client.send([UInt8](repeating: 0x20, count: 64 * 1024)) }
            let text = await client.textUntilClosed()
            #expect(text.hasPrefix("HTTP/1.1 400 ") && text.hasSuffix("}"))
        }
    }

    @Test func `an answer that comes before the body is delivered whole`() async throws {
        let body = [UInt8](repeating: 0x2A, count: 300_000)
        let script = Script(onHead: { _, stream in stream.respond(.status(413), body: body) })
        try await withServer(script) { server in
            let client = try await server.client()
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
            for _ in 0..<32 { client.send([UInt8](repeating: 0x20, count: 64 * 1024)) }
            let text = await client.textUntilClosed()
            #expect(text.hasPrefix("HTTP/1.1 413 "))
            #expect(text.utf8.count(where: { $0 == 0x2A }) == body.count)
            #expect(server.journal.all.endCount == 0)
        }
    }
}
