import HTTPTransport
import LinuxIO
import TLS
import Testing
import TunnelDomain
import TunnelWire

private let byteCounts = [0, 1, 100, 16_384, 16_385, 300_000, 5_000_000]

private func sample(_ byteCount: Int) -> [UInt8] { (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }

@Test(arguments: byteCounts)
func `a body comes back as it was sent over clear HTTP/1.1`(byteCount: Int) async throws {
    let door = try EventLoop()
    defer { door.stop() }
    let address = try await EchoServer.start(on: door)
    let client = try HTTPClient(eventLoop: door, trust: nil)
    let body = sample(byteCount)
    let response = try await client.send(
        HTTPRequestHead(method: "POST", target: "/a?b=c", authority: ""), body: body,
        to: HTTPEndpoint(address: address, host: "localhost", isTLS: false))
    #expect(response.head.status == 200)
    #expect(response.head.fields.first(named: "x-method") == "POST")
    #expect(response.head.fields.first(named: "x-target") == "/a?b=c")
    #expect(response.body == body)
}

@Test(arguments: byteCounts)
func `a body comes back as it was sent over HTTP/1.1 and TLS`(byteCount: Int) async throws {
    let door = try EventLoop()
    defer { door.stop() }
    let pair = try TestCertificates.pair(["http/1.1"])
    let address = try await EchoServer.start(on: door, tls: pair.server)
    let client = try HTTPClient(eventLoop: door, trust: .file(pair.caFile))
    let body = sample(byteCount)
    let response = try await client.send(
        HTTPRequestHead(method: "PUT", target: "/", authority: ""), body: body,
        to: HTTPEndpoint(address: address, host: "localhost", isTLS: true))
    #expect(response.head.status == 200)
    #expect(response.body == body)
}

@Test(arguments: byteCounts, [false, true])
func `a body comes back as it was sent over HTTP/2`(byteCount: Int, isTLS: Bool) async throws {
    let door = try EventLoop()
    defer { door.stop() }
    let pair = isTLS ? try TestCertificates.pair(["h2"]) : nil
    let address = try await EchoServer.start(on: door, tls: pair?.server)
    let body = sample(byteCount)
    let result: CallResult = try await door.call { loop, done in
        let caller = try HTTP2Caller.open(to: address, tls: pair?.client, on: loop)
        let head = HTTPRequestHead(method: "POST", target: "/a?b=c", authority: "localhost")
        caller.send(head, body: body) { done($0) }
    }
    #expect(result.error == nil)
    #expect(result.status == 200)
    #expect(result.fields.first(named: "x-target") == "/a?b=c")
    #expect(result.body == body)
}

@Test func `trailers travel both ways over HTTP/2`() async throws {
    let door = try EventLoop()
    defer { door.stop() }
    let address = try await EchoServer.start(on: door)
    let result: CallResult = try await door.call { loop, done in
        let caller = try HTTP2Caller.open(to: address, tls: nil, on: loop)
        var trailers = HTTPFields()
        trailers.append("x-check", "7")
        caller.send(
            HTTPRequestHead(method: "POST", target: "/", authority: "localhost"), body: [1, 2, 3], trailers: trailers
        ) { done($0) }
    }
    #expect(result.body == [1, 2, 3])
    #expect(result.trailers?.first(named: "x-check") == "7")
}

@Test func `many exchanges share one HTTP/2 connection`() async throws {
    let door = try EventLoop()
    defer { door.stop() }
    let address = try await EchoServer.start(on: door)
    let results: [CallResult] = try await door.call { loop, done in
        let caller = try HTTP2Caller.open(to: address, tls: nil, on: loop)
        var results: [CallResult] = []
        for number in 0..<90 {
            let head = HTTPRequestHead(method: "POST", target: "/\(number)", authority: "localhost")
            caller.send(head, body: sample(number * 997)) { result in
                results.append(result)
                if results.count == 90 { done(results) }
            }
        }
    }
    for result in results {
        let number = Int(result.fields.first(named: "x-target")?.dropFirst() ?? "") ?? -1
        #expect(result.error == nil)
        #expect(result.body == sample(number * 997))
    }
}

@Test func `a server that is not trusted is not talked to`() async throws {
    let door = try EventLoop()
    defer { door.stop() }
    let pair = try TestCertificates.pair(["http/1.1"])
    let stranger = try TestCertificates.pair(["http/1.1"])
    let address = try await EchoServer.start(on: door, tls: pair.server)
    let client = try HTTPClient(eventLoop: door, trust: .file(stranger.caFile))
    await #expect(throws: HTTPClientError.self) {
        try await client.send(
            HTTPRequestHead(method: "GET", target: "/", authority: ""),
            to: HTTPEndpoint(address: address, host: "localhost", isTLS: true))
    }
}
