import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelWire

/// How much of a response a caller takes into memory.
@Suite(.timeLimit(.minutes(1)))
struct BodyKeepingTests {
    private let door: EventLoop
    private let listener: RawListener
    private let client: HTTPClient

    init() async throws {
        door = try EventLoop()
        listener = try await RawListener.start(on: door)
        client = try HTTPClient(eventLoop: door, trust: nil)
    }

    /// A call, and the server's side of it with the request read.
    private func call(_ keeping: BodyKeeping) async throws -> (Task<BufferedResponse, any Error>, RawPeer) {
        let endpoint = HTTPEndpoint(address: listener.address, host: "127.0.0.1", isTLS: false)
        let head = HTTPRequestHead(method: "GET", target: "/", authority: "")
        let call = Task { [client] in try await client.send(head, to: endpoint, keeping: keeping) }
        let server = try await RawPeer.accept(on: listener)
        _ = await server.text(endingWith: "\r\n\r\n")
        return (call, server)
    }

    @Test(arguments: [
        (4, "abcd", "abcd", false), (4, "abcde", "abcd", true), (4, "abc", "abc", false), (0, "", "", false),
        (0, "a", "", true), (1 << 20, "abcde", "abcde", false),
    ])
    func `the first bytes are kept, and it is told when there are more`(
        byteCountMax: Int, body: String, kept: String, isCut: Bool
    ) async throws {
        let (call, server) = try await call(.first(byteCount: byteCountMax))
        server.send("HTTP/1.1 418 Teapot\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        let response = try await call.value
        #expect(response.head.status == 418)
        #expect(String(decoding: response.body, as: UTF8.self) == kept)
        #expect(response.isBodyCut == isCut)
        door.stop()
    }

    @Test func `an answer without end is over when there is one byte too many, and its connection is cut`() async throws {
        let (call, server) = try await call(.first(byteCount: 6))
        server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n")
        try await server.settle()
        server.send("1\r\ng\r\n")
        let response = try await call.value
        #expect((response.head.status, response.body, response.isBodyCut) == (200, Array("abcdef".utf8), true))
        _ = await server.bytesUntilClosed()
        door.stop()
    }

    @Test func `an answer that breaks off within what is kept is no answer`() async throws {
        let (call, server) = try await call(.first(byteCount: 6))
        server.send("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabcdef")
        try await server.settle()
        server.close()
        await #expect(throws: HTTPClientError.self) { try await call.value }
        door.stop()
    }

    @Test func `a whole answer has so many bytes and no more`() async throws {
        let (call, server) = try await call(.whole)
        let most = HTTPClient.responseByteCountMax
        server.send("HTTP/1.1 200 OK\r\nContent-Length: \(most + 1)\r\n\r\n")
        let part = [UInt8](repeating: 7, count: 1 << 20)
        for _ in 0..<(most / part.count) { server.send(part) }
        try await server.settle()
        server.send([7])
        do {
            _ = try await call.value
            #expect(Bool(false), "it was taken")
        } catch HTTPClientError.responseTooLarge(let byteCountMax) {
            #expect(byteCountMax == most)
        }
        door.stop()
    }
}
