import HTTPTransport
import LinuxIO
import TLS
import TestSupport
import Testing
import TunnelDomain
import TunnelEdge
import TunnelService
import TunnelWire

/// Which address of a receiver gets the call.
@Suite(.timeLimit(.minutes(5)))
struct WebhookCallerTests {
    /// Calls a receiver that has these addresses.
    private func call(
        _ text: String, at addresses: [SocketAddress], on door: EventLoop, timeoutSeconds: Int = 600,
        allowsPrivate: Bool = true
    ) async throws -> WebhookAnswer {
        let policy = OutgoingAddressPolicy(allowsPrivate: allowsPrivate)
        let caller = try WebhookCaller(eventLoop: door, policy: policy, timeoutSeconds: timeoutSeconds) { _, _ in
            .success(addresses)
        }
        return await caller.post(Array("{}".utf8), fields: [], to: try WebhookURL(parsing: text))
    }

    /// An address at which nobody listens, and which nobody is given while the test runs: a client has it.
    private func withDeadAddress(_ listener: SocketAddress, _ body: (SocketAddress) async throws -> Void) async throws {
        let client = try Socket.connect(to: listener)
        try await body(try Socket.localAddress(client.number))
        _ = consume client
    }

    @Test func `an address that cannot be reached leaves the call to the next`() async throws {
        try await EdgeFixture.run { edge in
            try await withDeadAddress(edge.address) { dead in
                let answer = try await call("http://hooks.example/", at: [dead, edge.address], on: edge.clients)
                // The edge stands for a receiver: it knows no such host, and says so.
                guard case .status = answer else { return #expect(Bool(false), "\(answer)") }
            }
        }
    }

    @Test func `who has no address that can be reached is told of each`() async throws {
        try await EdgeFixture.run { edge in
            try await withDeadAddress(edge.address) { dead in
                let answer = try await call("http://hooks.example/", at: [dead, dead], on: edge.clients)
                guard case .failed(let why) = answer else { return #expect(Bool(false), "\(answer)") }
                #expect(why.split(separator: ";").count == 2, "\(why)")
                #expect(why.contains("\(dead): ") && why.contains("refused"), "\(why)")
            }
        }
    }

    @Test func `no more than four are tried`() async throws {
        try await EdgeFixture.run { edge in
            try await withDeadAddress(edge.address) { dead in
                let addresses = Array(repeating: dead, count: WebhookCaller.addressesMax) + [edge.address]
                let answer = try await call("http://hooks.example/", at: addresses, on: edge.clients)
                guard case .failed(let why) = answer else { return #expect(Bool(false), "\(answer)") }
                #expect(why.split(separator: ";").count == 4, "\(why)")
            }
        }
    }

    @Test func `one that takes the connection and says nothing has its share of the time`() async throws {
        try await EdgeFixture.run { edge in
            let silent = try Socket.listen(on: .loopback(port: 0))
            let address = try Socket.localAddress(silent.number)
            let answer = try await call(
                "https://hooks.example/", at: [address, address], on: edge.clients, timeoutSeconds: 1)
            guard case .failed(let why) = answer else { return #expect(Bool(false), "\(answer)") }
            #expect(why.split(separator: ";").count == 2, "\(why)")
            _ = consume silent
        }
    }

    @Test func `one private address among several keeps the call back`() async throws {
        try await EdgeFixture.run { edge in
            let answer = try await call(
                "http://hooks.example/", at: [edge.address], on: edge.clients, allowsPrivate: false)
            guard case .failed(let why) = answer else { return #expect(Bool(false), "\(answer)") }
            #expect(why.contains("not of the public internet"))
        }
    }
}
