import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelWire

/// What becomes of a call whose task is cancelled.
@Suite(.timeLimit(.minutes(1)))
struct CancellationTests {
    private let door: EventLoop
    private let listener: RawListener
    private let client: HTTPClient

    init() async throws {
        door = try EventLoop()
        listener = try await RawListener.start(on: door)
        client = try HTTPClient(eventLoop: door, trust: nil)
    }

    private func call() -> Task<BufferedResponse, any Error> {
        let endpoint = HTTPEndpoint(address: listener.address, host: "127.0.0.1", isTLS: false)
        let head = HTTPRequestHead(method: "GET", target: "/", authority: "")
        return Task { [client] in try await client.send(head, to: endpoint) }
    }

    @Test func `a call that waits for its answer ends, and so does its connection`() async throws {
        let call = call()
        let server = try await RawPeer.accept(on: listener)
        _ = await server.text(endingWith: "\r\n\r\n")
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        _ = await server.bytesUntilClosed()
        door.stop()
    }

    @Test func `a call in the middle of its answer ends too`() async throws {
        let call = call()
        let server = try await RawPeer.accept(on: listener)
        _ = await server.text(endingWith: "\r\n\r\n")
        server.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        try await server.settle()
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        _ = await server.bytesUntilClosed()
        door.stop()
    }

    @Test func `a call of a task that was cancelled before sends nothing`() async throws {
        let endpoint = HTTPEndpoint(address: listener.address, host: "127.0.0.1", isTLS: false)
        let call = Task { [client] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.send(HTTPRequestHead(method: "GET", target: "/", authority: ""), to: endpoint)
        }
        await #expect(throws: CancellationError.self) { try await call.value }
        door.stop()
    }

    @Test func `a cancellation after the answer changes nothing`() async throws {
        let call = call()
        let server = try await RawPeer.accept(on: listener)
        _ = await server.text(endingWith: "\r\n\r\n")
        server.send("HTTP/1.1 204 No Content\r\n\r\n")
        #expect(try await call.value.head.status == 204)
        call.cancel()
        #expect(try await call.value.head.status == 204)
        door.stop()
    }
}
