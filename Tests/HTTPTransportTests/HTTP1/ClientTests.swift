import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

/// The HTTP/1.1 client before a server that a test plays byte by byte.
@Suite(.timeLimit(.minutes(5)))
struct ClientTests {
    /// What came back, and what became of the connection.
    private struct Outcome: Sendable {
        var result: CallResult
        var isIdle: Bool
    }

    /// Sends one request and plays the server's part.
    private func exchange(
        _ method: String = "GET", body: [UInt8]? = nil, finishes: Bool = true,
        server play: (RawPeer) async throws -> Void
    ) async throws -> Outcome {
        let door = try EventLoop()
        defer { door.stop() }
        let listener = try await RawListener.start(on: door)
        let results = Journal<CallResult>()
        let idle = Journal<Bool>()
        try await door.run { loop in
            let caller = HTTP1Caller(onIdle: { idle.add($0) })
            let head = HTTPRequestHead(method: method, target: "/x", authority: "a")
            try caller.open(to: listener.address, on: loop) { connection in
                let collector = Collector { results.add($0) }
                let stream = try connection.request(head, isEnd: body == nil, contentLength: nil, receiver: collector)
                guard let body else { return }
                stream?.write(body)
                if finishes { stream?.finish(trailers: nil) }
            }
        }
        let server = try await RawPeer.accept(on: listener)
        _ = await server.text(endingWith: body == nil ? "\r\n\r\n" : finishes ? "0\r\n\r\n" : "\r\n")
        try await play(server)
        let result = try #require(await results.wait { !$0.isEmpty }.first)
        let isIdle = await idle.wait { !$0.isEmpty }.first == true
        return Outcome(result: result, isIdle: isIdle)
    }

    @Test func `a response with a length leaves the connection for the next`() async throws {
        let outcome = try await exchange { $0.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") }
        #expect(outcome.result.error == nil)
        #expect(outcome.result.body == Array("hello".utf8))
        #expect(outcome.isIdle)
    }

    @Test func `a server that speaks HTTP/2 unasked is told apart`() async throws {
        let outcome = try await exchange { $0.send(RawFrame.frame(.settings, [0, 3, 0, 0, 0, 100])) }
        #expect(outcome.result.error == .malformed(HTTP1ClientConnection.otherVersion))
    }

    @Test func `a chunked response brings its trailers`() async throws {
        let outcome = try await exchange {
            $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            try await $0.settle()
            $0.send("2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n")
        }
        #expect(outcome.result.body == Array("abcde".utf8))
        #expect(outcome.result.trailers?.first(named: "x-sum") == "7")
        #expect(outcome.isIdle)
    }

    @Test func `a response that says close is whole, and the connection is not used again`() async throws {
        let outcome = try await exchange { $0.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi") }
        #expect(outcome.result.error == nil)
        #expect(outcome.result.body == Array("hi".utf8))
        #expect(!outcome.isIdle)
    }

    @Test func `a response of unknown length ends with the connection`() async throws {
        let outcome = try await exchange {
            $0.send("HTTP/1.1 200 OK\r\n\r\nup to ")
            try await $0.settle()
            $0.send("here")
            $0.close()
        }
        #expect(outcome.result.error == nil)
        #expect(outcome.result.body == Array("up to here".utf8))
        #expect(!outcome.isIdle)
    }

    @Test(arguments: [
        "", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
    ])
    func `a response that is cut off is an error`(text: String) async throws {
        let outcome = try await exchange {
            $0.send(text)
            $0.close()
        }
        #expect(outcome.result.error == .connectionLost(.closedByPeer))
        #expect(!outcome.isIdle)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func `a response that is no HTTP is an error that says why`(text: String) async throws {
        let outcome = try await exchange { $0.send(text) }
        guard case .malformed? = outcome.result.error else {
            Issue.record("\(String(describing: outcome.result.error))")
            return
        }
        #expect(!outcome.isIdle)
    }

    @Test func `bytes behind the response end the connection`() async throws {
        let outcome = try await exchange { server in
            server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            _ = await server.textUntilClosed()
        }
        #expect(outcome.result.error == nil)
        #expect(outcome.result.body == Array("hi".utf8))
    }

    @Test func `interim responses come before the final one`() async throws {
        let outcome = try await exchange {
            $0.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
        }
        #expect(outcome.result.status == 204)
        #expect(outcome.isIdle)
    }

    @Test(arguments: [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")])
    func `an answer without content ends with its head`(method: String, status: String) async throws {
        let outcome = try await exchange(method) { $0.send("HTTP/1.1 \(status)\r\nETag: x\r\n\r\n") }
        #expect(outcome.result.error == nil)
        #expect(outcome.result.body.isEmpty)
        #expect(outcome.isIdle)
    }

    @Test func `an answer before the request is whole is taken, and the connection is not used again`() async throws {
        let outcome = try await exchange("POST", body: Array("half".utf8), finishes: false) {
            $0.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
        }
        #expect(outcome.result.status == 413)
        #expect(outcome.result.body == Array("no".utf8))
        #expect(outcome.result.error == nil)
        #expect(!outcome.isIdle)
    }

    @Test func `a body of unknown length goes out in chunks`() async throws {
        var request = ""
        let outcome = try await exchange("POST", body: Array("hello".utf8)) {
            request = $0.text
            $0.send("HTTP/1.1 204 No Content\r\n\r\n")
        }
        #expect(request == "POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        #expect(outcome.isIdle)
    }
}

/// Opens one HTTP/1.1 connection, and tells whether it may be used again after its first exchange.
private final class HTTP1Caller: ChannelHandler, HTTP1ClientOwner {
    private let onIdle: (Bool) -> Void
    private var begin: ((HTTP1ClientConnection) throws -> Void)?
    private var channel: Channel?

    init(onIdle: @escaping (Bool) -> Void) { self.onIdle = onIdle }

    func open(to address: SocketAddress, on loop: Loop, begin: @escaping (HTTP1ClientConnection) throws -> Void) throws {
        self.begin = begin
        channel = try Channel.connect(to: address, on: loop, tls: nil, serverName: nil, handler: self)
    }

    func channelOpened() {
        guard let channel, let begin else { return }
        do { try begin(HTTP1ClientConnection.client(channel, owner: self)) } catch { channel.abort(.aborted("\(error)")) }
    }
    func channelReceived(_ bytes: Span<UInt8>) {}
    func channelReachedEnd() {}
    func channelDrained() {}
    func channelClosed(_ error: ChannelError?) { onIdle(false) }
    func connectionIdle(_ connection: HTTP1ClientConnection) { onIdle(true) }
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        onIdle(false)
        channel = nil
    }
}
