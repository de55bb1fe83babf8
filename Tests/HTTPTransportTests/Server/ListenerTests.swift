import LinuxIO
import Synchronization
import TLS
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

@testable import HTTPTransport

/// How connections find their loop.
@Suite(.timeLimit(.minutes(5)))
struct ListenerTests {
    /// Two loops; hosts that begin with `b` belong on the second.
    private struct Doors {
        let first: EventLoop
        let second: EventLoop
        let address: SocketAddress
        let arrivals = Journal<ArrivedConnection>()

        init(_ purpose: ListenerPurpose = .clearText, capacity: Int = .max, arrivalSecondsMax: Int = 600) async throws {
            first = try EventLoop(index: 1)
            second = try EventLoop(index: 2)
            let descriptor = try Socket.listen(on: .loopback(port: 0))
            address = try Socket.localAddress(descriptor.number)
            // The listener uses it until its loop ends.
            let number = descriptor.release()
            for door in [first, second] {
                try await door.run { [second, arrivals] loop in
                    let placement = RecordingPlacement(loop, second: second, capacity: capacity, arrivals)
                    loop.resident = placement
                    guard door !== second else { return }
                    placement.listener = try HTTPListener(
                        descriptor: number, purpose: purpose, arrivalSecondsMax: arrivalSecondsMax, on: loop,
                        placement: placement)
                }
            }
        }

        func stop() { [first, second].forEach { $0.stop() } }
    }

    @Test(arguments: [("a.localhost", 1), ("b.localhost", 2), ("B.LocalHost:8080", 2)])
    func `a connection is opened on the loop of its host, with every byte still to read`(host: String, loop: Int) async throws {
        let doors = try await Doors()
        defer { doors.stop() }
        let client = try await RawPeer.connect(to: doors.address, on: doors.first)
        let text = "GET / HTTP/1.1\r\nX: y\r\nHost: \(host)\r\n\r\n"
        for byte in text.utf8 {
            client.send([byte])
            try await client.settle()
        }
        let arrived = try #require(await doors.arrivals.wait { !$0.isEmpty }.first)
        #expect(arrived.loop == loop)
        #expect(arrived.host == host.lowercased().split(separator: ":").first.map(String.init))
        #expect(!arrived.isHTTP2Preface)
        // It may be opened as soon as the host's line is whole, before the empty line behind it has come.
        #expect((text.utf8.count - 2...text.utf8.count).contains(arrived.waiting))
    }

    @Test func `a connection that begins with the preface is known for HTTP/2`() async throws {
        let doors = try await Doors()
        defer { doors.stop() }
        let client = try await RawPeer.connect(to: doors.address, on: doors.first)
        client.send(RawFrame.hello)
        let arrived = try #require(await doors.arrivals.wait { !$0.isEmpty }.first)
        #expect(arrived.isHTTP2Preface)
        #expect(arrived.host == nil)
        #expect(arrived.waiting == RawFrame.hello.count)
    }

    @Test(arguments: ["a.localhost", "b.localhost"])
    func `the name in a client's hello is found wherever its bytes are cut`(name: String) async throws {
        let hello = try await ListenerTests.clientHello(for: name)
        let sights = (0...hello.count).map { ArrivalSight.ofClientHello(Array(hello[..<$0]).span) }
        #expect(sights.dropLast().allSatisfy { $0 == .undecided })
        #expect(sights.last == .host(name, isHTTP2Preface: false))

        let doors = try await Doors(.tls)
        defer { doors.stop() }
        let client = try await RawPeer.connect(to: doors.address, on: doors.first)
        client.send(Array(hello[..<100]))
        try await client.settle()
        #expect(doors.arrivals.all.isEmpty)
        client.send(Array(hello[100...]))
        let arrived = try #require(await doors.arrivals.wait { !$0.isEmpty }.first)
        #expect(arrived.host == name)
        #expect(arrived.loop == (name == "b.localhost" ? 2 : 1))
        #expect(arrived.waiting == hello.count)
    }

    @Test func `what is no TLS is left for the handshake to refuse`() async throws {
        let doors = try await Doors(.tls)
        defer { doors.stop() }
        let client = try await RawPeer.connect(to: doors.address, on: doors.first)
        client.send("GET / HTTP/1.1\r\nHost: b.localhost\r\n\r\n")
        let arrived = try #require(await doors.arrivals.wait { !$0.isEmpty }.first)
        #expect(arrived.host == nil)
        #expect(arrived.loop == 1)
    }

    @Test func `a connection that ends before it has said anything is given back`() async throws {
        let doors = try await Doors(capacity: 1)
        defer { doors.stop() }
        for _ in 0..<5 {
            // Each of them fills the house until it leaves.
            let silent = try await RawPeer.connect(to: doors.address, on: doors.first)
            silent.reset()
            try await silent.settle()
        }
        let client = try await RawPeer.connect(to: doors.address, on: doors.first)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await doors.arrivals.wait { !$0.isEmpty }.count == 1)
    }

    @Test func `a connection past the number that is admitted is closed at once`() async throws {
        let doors = try await Doors(capacity: 1)
        defer { doors.stop() }
        let first = try await RawPeer.connect(to: doors.address, on: doors.first)
        try await first.settle()
        let second = try await RawPeer.connect(to: doors.address, on: doors.first)
        #expect(await second.textUntilClosed() == "")
        first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await doors.arrivals.wait { !$0.isEmpty }.count == 1)
    }

    @Test func `a silent connection is dropped when its time is up, and given back`() async throws {
        let doors = try await Doors(capacity: 1, arrivalSecondsMax: 1)
        defer { doors.stop() }
        let silent = try await RawPeer.connect(to: doors.address, on: doors.first)
        #expect(await silent.textUntilClosed() == "")
        // On a busy machine one that speaks may be held up for a second too; then the next one is as good.
        while doors.arrivals.all.isEmpty {
            let client = try await RawPeer.connect(to: doors.address, on: doors.first)
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = await client.textUntilClosed()
        }
        #expect(doors.arrivals.all.count == 1)
    }

    /// The first bytes of a client of ours.
    private static func clientHello(for name: String) async throws -> [UInt8] {
        let door = try EventLoop()
        defer { door.stop() }
        let listener = try await RawListener.start(on: door)
        let context = try TestCertificates.pair(["h2"]).client
        try await door.run { loop in
            _ = try HTTP2Caller.open(to: listener.address, tls: context, host: name, on: loop)
        }
        let server = try await RawPeer.accept(on: listener)
        let events = await server.journal.wait { events in
            // The record's length stands in its fourth and fifth byte.
            let bytes = events.bytes
            return events.isClosed || (bytes.count >= 5 && bytes.count >= 5 + Int(bytes[3]) << 8 + Int(bytes[4]))
        }
        return events.bytes
    }
}

/// Where and how a connection was opened.
private struct ArrivedConnection: Sendable {
    var loop: Int
    var host: String?
    var isHTTP2Preface: Bool
    /// Bytes that could be read from it.
    var waiting: Int
}

private final class RecordingPlacement: ConnectionPlacement {
    var listener: HTTPListener?
    private let loop: Loop
    private let second: EventLoop
    private let capacity: Int
    private var admitted = 0
    private let arrivals: Journal<ArrivedConnection>

    init(_ loop: Loop, second: EventLoop, capacity: Int, _ arrivals: Journal<ArrivedConnection>) {
        self.loop = loop
        self.second = second
        self.capacity = capacity
        self.arrivals = arrivals
    }

    func door(forHost host: String?) -> EventLoop? { host?.first == "b" ? second : nil }
    func admits(_ peer: SocketAddress) -> Bool {
        guard admitted < capacity else { return false }
        admitted += 1
        return true
    }
    func released() { admitted -= 1 }
    func open(_ connection: consuming NewConnection) {
        var waiting = 0
        if case .moved(let count) = Socket.receive(connection.descriptor.number, into: loop.scratch, peek: true) {
            waiting = count
        }
        arrivals.add(
            ArrivedConnection(
                loop: loop.door.index, host: connection.host, isHTTP2Preface: connection.isHTTP2Preface, waiting: waiting))
    }
}
