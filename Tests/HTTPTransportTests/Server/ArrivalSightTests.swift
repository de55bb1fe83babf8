@testable import HTTPTransport
import Testing

/// Where a connection wants to go, as its first bytes tell.
struct ArrivalSightTests {
    private static func look(_ bytes: some Sequence<UInt8>) -> ArrivalSight { ArrivalSight.ofPlainHead(Array(bytes).span) }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: My-Agent.localhost:8080\r\n\r\n", "my-agent.localhost"),
        ("GET / HTTP/1.1\r\nX: y\r\nhOsT:a.localhost\r\n", "a.localhost"),
        ("GET / HTTP/1.1\r\nHost: \t a.localhost \t\r\n", "a.localhost"),
        ("GET / HTTP/1.1\r\nHost: [::1]:80\r\n", "[::1]"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", "a"),
        ("GET / HTTP/1.1\nHost: a\n", "a"),
    ])
    func `the host is found as soon as its line is whole, wherever the bytes are cut`(head: String, host: String) throws {
        let bytes = Array(head.utf8)
        let sights = (0...bytes.count).map { ArrivalSightTests.look(bytes[..<$0]) }
        let decided = try #require(sights.firstIndex { $0 != .undecided })
        #expect(sights[decided...].allSatisfy { $0 == .host(host, isHTTP2Preface: false) })
        let lines = bytes[..<decided].split(separator: UInt8(ascii: "\n"))
        #expect(bytes[decided - 1] == UInt8(ascii: "\n"))
        #expect(lines.last.map { String(decoding: $0, as: UTF8.self).lowercased().hasPrefix("host:") } == true)
    }

    @Test(arguments: ["GET / HTTP/1.1\r\nX: y\r\n\r\n", "\r\n", "GET / HTTP/1.0\r\n\r\nHost: b\r\n"])
    func `a head without a host has none`(head: String) {
        #expect(ArrivalSightTests.look(head.utf8) == .host(nil, isHTTP2Preface: false))
    }

    @Test func `the preface of HTTP/2 is known by its first line`() {
        let preface = Array("PRI * HTTP/2.0\r\n".utf8)
        for cut in 0..<preface.count { #expect(ArrivalSightTests.look(preface[..<cut]) == .undecided) }
        #expect(ArrivalSightTests.look(preface) == .host(nil, isHTTP2Preface: true))
        #expect(ArrivalSightTests.look("PRI / HTTP/1.1\r\n\r\n".utf8) == .host(nil, isHTTP2Preface: false))
    }

    @Test(arguments: [
        ("a.localhost", "a.localhost"), ("a.localhost:8080", "a.localhost"), ("a:", "a"), ("[::1]:80", "[::1]"),
        ("::1", "::1"), ("a:b", "a:b"), ("", ""), (":80", ""),
    ])
    func `a port is taken off a host`(text: String, host: String) {
        #expect(HostText.withoutPort(text) == host)
    }

    @Test func `an IPv6 address without a port keeps its brackets`() {
        #expect(HostText.withoutPort("[::1]") == "[::1]")
        #expect(HostText.withoutPort("[2001:db8::7]") == "[2001:db8::7]")
    }
}
