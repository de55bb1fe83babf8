import Foundation
import HTTPTransport
import LinuxIO
import TLS
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

@testable import TunnelEdge

/// Which host leads where, on which connection.
@Suite(.timeLimit(.minutes(5)))
struct FrontTests {
    @Test func `the service says where its listeners are`() async throws {
        try await EdgeFixture.run {
            $0.httpsPort = 8443
        } _: { edge in
            for host in ["localhost", "127.0.0.1"] {
                let answer = try await edge.get("/.well-known/culvert", host: host)
                #expect(answer.head.status == 200)
                #expect(
                    String(decoding: answer.body, as: UTF8.self)
                        == #"{"zone":"localhost","https_port":8443,"http_port":null}"#)
            }
        }
    }

    @Test func `a tunnel that its last connection has turned away from is forgotten`() async throws {
        try await EdgeFixture.run { edge in
            let client = try await edge.thirdParty()
            for tunnel in [try await edge.createTunnel("first"), try await edge.createTunnel("second")] {
                #expect(try await client.call("GET", "/", host: tunnel.host).answer().status == 502)
            }
            var names: [String] = []
            for door in edge.doors {
                names += try await door.run { EdgeFront.resident(of: $0)?.openSites.map(\.tunnel.name.text) ?? [] }
            }
            #expect(names == ["second"])
        }
    }

    @Test func `the zone and its addresses lead to the API, with the body`() async throws {
        try await EdgeFixture.run { edge in
            let answer = try await edge.get("/api/v1/x?y", host: "localhost", method: "POST", body: [1, 2, 3])
            #expect(String(decoding: answer.body, as: UTF8.self) == "POST /api/v1/x?y 3")
            let byAddress = try await edge.get("/api", host: "127.0.0.1")
            #expect(String(decoding: byAddress.body, as: UTF8.self) == "GET /api 0")
        }
    }

    @Test func `a body of the API at its limit is taken, and one byte more is not`() async throws {
        try await EdgeFixture.run {
            $0.apiBodyByteCountMax = 1_000
        } _: { edge in
            for (count, text) in [(1_000, "POST / 1000"), (1_001, "POST / too large")] {
                let known = try await edge.get(host: "localhost", method: "POST", body: [UInt8](repeating: 1, count: count))
                #expect(String(decoding: known.body, as: UTF8.self) == text)
                let streamed = try await edge.thirdParty().call(
                    "POST", "/", host: "localhost", body: [UInt8](repeating: 1, count: count))
                #expect(await streamed.answer().text == text)
            }
        }
    }

    @Test func `bodies of the API share a budget, and what ends gives its part back`() async throws {
        try await EdgeFixture.run {
            $0.apiBodiesByteCountMax = 1_000
        } _: { edge in
            // All on one connection, and so on one loop, which is what the budget is for.
            let client = try await edge.thirdParty()
            let first = try await client.call(
                "POST", "/1", host: "localhost", body: [UInt8](repeating: 1, count: 900), isWhole: false)
            let second = try await client.call(
                "POST", "/2", host: "localhost", body: [UInt8](repeating: 1, count: 200), isWhole: false)
            let refused = await second.answer()
            #expect(refused.status == 503)
            #expect(refused["retry-after"] != nil)
            first.finish()
            #expect(await first.answer().text == "POST /1 900")
            let third = try await client.call("POST", "/3", host: "localhost", body: [UInt8](repeating: 1, count: 1_000))
            #expect(await third.answer().text == "POST /3 1000")
        }
    }

    @Test func `a body of the API that does not end is broken off, and gives its part back`() async throws {
        try await EdgeFixture.run {
            $0.apiBodiesByteCountMax = 1_000
            $0.apiBodySecondsMax = 1
        } _: { edge in
            let client = try await edge.thirdParty()
            let slow = try await client.call(
                "POST", "/1", host: "localhost", body: [UInt8](repeating: 1, count: 900), isWhole: false)
            #expect(await slow.answer().error == .cancelledByPeer)
            let next = try await client.call("POST", "/2", host: "localhost", body: [UInt8](repeating: 1, count: 1_000))
            #expect(await next.answer().text == "POST /2 1000")
        }
    }

    @Test func `a body of the API that announces too much is refused before it comes`() async throws {
        try await EdgeFixture.run { edge in
            let raw = try await RawThirdParty.connect(to: edge.address, on: edge.clients)
            raw.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n")
            #expect(await raw.textUntilClosed().hasSuffix("POST / too large"))
        }
    }

    @Test func `every tunnel is served, whichever loop it lives on`() async throws {
        try await EdgeFixture.run { edge in
            var loops: Set<Int> = []
            for number in 0..<8 {
                let tunnel = try await edge.createTunnel("agent-\(number)")
                loops.insert(edge.directory.door(of: tunnel.tunnel.id).index)
                let agent = try await edge.agent(of: tunnel)
                let intakes = [try await agent.park(0), try await agent.park(1)]
                // Over HTTP/1.1 the host is seen before the connection has a loop, over HTTP/2 the connection has to move.
                async let first = edge.get("/1", host: tunnel.host, method: "POST", body: [1, 2, 3])
                let firstID = await intakes.firstRequestID()
                _ = try await agent.reply(firstID, body: "one")
                #expect(String(decoding: try await first.body, as: UTF8.self) == "one")
                let second = try await edge.thirdParty().call("POST", "/2", host: tunnel.host, body: Array("hello".utf8))
                let intake = intakes[0].journal.all.isEmpty ? intakes[0] : intakes[1]
                #expect(await intake.body(endingWith: "hello") == "hello")
                _ = try await agent.reply(await intake.requestID(), body: "two")
                #expect(await second.answer().text == "two")
            }
            // Eight tunnels on one of two loops is one chance in 128; then this run shows less.
            if loops.count == 1 { print("all tunnels happened to live on one loop") }
        }
    }

    @Test func `requests that come together on a connection that has to move are all served`() async throws {
        try await EdgeFixture.run { edge in
            var loops: Set<Int> = []
            for number in 0..<8 {
                let tunnel = try await edge.createTunnel("agent-\(number)")
                loops.insert(edge.directory.door(of: tunnel.tunnel.id).index)
                let agent = try await edge.agent(of: tunnel)
                var intakes: [Call] = []
                for slot in 0..<3 { intakes.append(try await agent.park(slot)) }
                let third = try await edge.thirdParty()
                var calls: [Call] = []
                try await edge.whileLoopsWait {
                    for path in 1...3 {
                        calls.append(try await third.call("POST", "/\(path)", host: tunnel.host, body: [UInt8(48 + path)]))
                    }
                }
                for intake in intakes {
                    let body = await intake.answer().text
                    _ = try await agent.reply(await intake.requestID(), body: "answer to \(body)")
                }
                for (path, call) in zip(1...3, calls) { #expect(await call.answer().text == "answer to \(path)") }
            }
            if loops.count == 1 { print("all tunnels happened to live on one loop") }
        }
    }

    @Test func `connections to a tunnel are limited, and one that ends makes room`() async throws {
        try await EdgeFixture.run {
            $0.connectionsPerTunnelMax = 2
        } _: { edge in
            let tunnel = try await edge.createTunnel()
            let other = try await edge.createTunnel("other-agent")
            let keeping = [
                try await RawThirdParty.connect(to: edge.address, on: edge.clients),
                try await RawThirdParty.connect(to: edge.address, on: edge.clients),
            ]
            for raw in keeping {
                raw.send("GET / HTTP/1.1\r\nHost: \(tunnel.host)\r\n\r\n")
                #expect(await raw.text(holding: "\r\n\r\n").contains("agent-offline"))
            }
            let refused = try await edge.get(host: tunnel.host)
            #expect(refused.head.status == 503)
            #expect(refused.head.fields.first(named: "inkbox-reason") == "too-many-connections")
            #expect(refused.head.fields.first(named: "retry-after") == "1")
            // The other tunnel is not held up by it.
            #expect(try await edge.get(host: other.host).head.fields.first(named: "inkbox-reason") == "agent-offline")
            keeping[0].close()
            _ = await keeping[0].textUntilClosed()
            for door in edge.doors { for _ in 0..<5 { try await door.run { _ in } } }
            #expect(try await edge.get(host: tunnel.host).head.fields.first(named: "inkbox-reason") == "agent-offline")
        }
    }

    @Test func `connections in all are limited`() async throws {
        try await EdgeFixture.run {
            $0.connectionsMax = 1
        } _: { edge in
            let first = try await RawThirdParty.connect(to: edge.address, on: edge.clients)
            first.send("GET / HTTP/1.1\r\nHost: nobody.localhost\r\n\r\n")
            #expect(await first.text(holding: "\r\n\r\n").contains("no-such-tunnel"))
            let second = try await RawThirdParty.connect(to: edge.address, on: edge.clients)
            #expect(await second.textUntilClosed() == "")
        }
    }

    @Test func `a listener that only redirects sends to the same place with TLS, and nowhere else`() async throws {
        try await EdgeFixture.run {
            $0.httpsPort = 8443
        } _: { edge in
            let tunnel = try await edge.createTunnel()
            let address = try await EdgeFixture.listen(edge.edge, for: .redirect)
            for host in [tunnel.host, "localhost"] {
                let answer = try await edge.get("/a?b=%20", host: host, at: address)
                #expect(answer.head.status == 308)
                #expect(answer.head.fields.first(named: "location") == "https://\(host):8443/a?b=%20")
            }
            let foreign = try await edge.get(host: "example.com", at: address)
            #expect(foreign.head.status == 421)
            #expect(foreign.head.fields.first(named: "location") == nil)
            // No API and no hello in clear text here.
            let api = try await edge.get("/_system/hello", host: "localhost", method: "POST", at: address)
            #expect(api.head.status == 308)
        }
    }

    @Test func `the port of a redirect is left out when it is the usual one`() async throws {
        try await EdgeFixture.run {
            $0.httpsPort = 443
        } _: { edge in
            let address = try await EdgeFixture.listen(edge.edge, for: .redirect)
            let answer = try await edge.get("/", host: "localhost", at: address)
            #expect(answer.head.fields.first(named: "location") == "https://localhost/")
        }
    }

    @Test func `a request for another host than the connection was opened for is misdirected`() async throws {
        let pair = try TLSPair(hosts: ["localhost", "my-agent.localhost", "other-agent.localhost"])
        try await EdgeFixture.run(tls: pair.server) { edge in
            let tunnel = try await edge.createTunnel()
            let other = try await edge.createTunnel("other-agent")
            let address = try await EdgeFixture.listen(edge.edge, for: .tls)
            let client = try await EdgeClient.connect(
                to: address, tls: TLSTrust(context: pair.client, serverName: tunnel.host), on: edge.clients)
            #expect(try await client.call("GET", "/", host: tunnel.host).answer().reason == "agent-offline")
            for host in [other.host, "localhost", "example.com", "nobody.localhost"] {
                let answer = try await client.call("GET", "/", host: host).answer()
                #expect(answer.status == 421, "\(host)")
                #expect(answer.reason == "misdirected")
            }
            // The connection is none the worse for it.
            #expect(try await client.call("GET", "/", host: tunnel.host).answer().reason == "agent-offline")
        }
    }

    @Test func `an agent and a third party meet over TLS`() async throws {
        let pair = try TLSPair(hosts: ["localhost", "my-agent.localhost"])
        try await EdgeFixture.run(tls: pair.server) { edge in
            let tunnel = try await edge.createTunnel()
            let address = try await EdgeFixture.listen(edge.edge, for: .tls)
            var agent = TestAgent(
                tunnel: tunnel,
                client: try await EdgeClient.connect(
                    to: address, tls: TLSTrust(context: pair.client, serverName: "localhost"), on: edge.clients))
            #expect(try await agent.hello().status == 200)
            let intake = try await agent.park()
            let third = try await EdgeClient.connect(
                to: address, tls: TLSTrust(context: pair.client, serverName: tunnel.host), on: edge.clients)
            let call = try await third.call("GET", "/", host: tunnel.host)
            #expect(try await agent.reply(await intake.requestID(), body: "sealed").status == 200)
            #expect(await call.answer().text == "sealed")
        }
    }

    @Test func `who connects to the zone and says nothing is sent away`() async throws {
        let pair = try TLSPair(hosts: ["localhost"])
        try await EdgeFixture.run(tls: pair.server) {
            $0.helloSecondsMax = 1
        } _: { edge in
            let address = try await EdgeFixture.listen(edge.edge, for: .tls)
            let client = try await EdgeClient.connect(
                to: address, tls: TLSTrust(context: pair.client, serverName: "localhost"), on: edge.clients)
            await client.closing()
        }
    }
}

extension [Call] {
    /// The id of the request that one of the intakes carries.
    fileprivate func firstRequestID() async -> String {
        await withTaskGroup(of: String.self) { group in
            for call in self { group.addTask { await call.requestID() } }
            let id = await group.next() ?? ""
            group.cancelAll()
            return id
        }
    }
}

/// Contexts of a server with one certificate for all hosts, and of a client that trusts it.
private struct TLSPair {
    var server: TLSContext
    var client: TLSContext

    init(hosts: [String]) throws {
        let now = Timestamp(secondsSinceEpoch: Int64(Date().timeIntervalSince1970))
        let authority = try CertificateAuthority.make(zone: "localhost", at: now)
        let leaf = try authority.issueServerCertificate(hosts: hosts, at: now)
        let identity = try TLSIdentity(chainPEM: leaf.certificatePEM, keyPEM: leaf.keyPEM ?? "")
        let caFile = FileManager.default.temporaryDirectory.appendingPathComponent("culvert-ca-\(UUID().uuidString).pem").path
        try authority.certificatePEM.write(toFile: caFile, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: caFile) }
        server = try TLSContext.server(applicationProtocols: ["h2", "http/1.1"]) { _ in identity }
        client = try TLSContext.client(applicationProtocols: ["h2"], trust: .file(caFile))
    }
}
