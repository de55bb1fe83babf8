import HTTPTransport
import LinuxIO
import TLS
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

@testable import TunnelEdge

/// Third parties of a passthrough tunnel at the edge, with an agent that speaks the published SDK's framing.
struct PassthroughTests {
    /// A fixture with a TLS listener and an active passthrough tunnel.
    private static func run(
        _ change: (inout EdgeSettings) -> Void = { _ in },
        _ body: (EdgeFixture, SocketAddress, TestTunnel) async throws -> Void
    ) async throws {
        let tls = try TLSContext.server(applicationProtocols: ["h2", "http/1.1"]) { _ in nil }
        try await EdgeFixture.run(tls: tls, change) { fixture in
            let tunnel = try await fixture.activePassthroughTunnel()
            try await body(fixture, EdgeFixture.listen(fixture.edge, for: .tls), tunnel)
        }
    }

    private static func hello(for host: String) -> [UInt8] {
        let name = Array(host.utf8)
        let entry = [0] + be16(name.count) + name
        let sni = be16(0) + be16(entry.count + 2) + be16(entry.count) + entry
        let body = [3, 3] + [UInt8](repeating: 1, count: 32) + [0, 0, 2, 0x13, 1, 1, 0] + be16(sni.count) + sni
        let message = [1, 0] + be16(body.count) + body
        return [0x16, 3, 1] + be16(message.count) + message
    }

    private static func be16(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    private static func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(
            WebSocketFrameHeader(opcode: opcode, payloadByteCount: payload.count, maskingKey: 0xDEAD_BEEF),
            payload: payload.span)
        return bytes
    }

    /// What the edge has sent on a bridge so far.
    private static func reading(_ call: Call) -> Reading { Reading(call.journal.all) }

    private struct Reading {
        var bytes: [UInt8] = []
        var others: [TCPBridgeReader.Event] = []
        var frames: [Int] = []
        var pongs: [[UInt8]] = []

        init(_ events: [Call.Event]) {
            let all = events.flatMap { if case .body(let bytes) = $0 { bytes } else { [UInt8]() } }
            var reader = TCPBridgeReader(role: .client)
            var offset = 0
            while let event = try? reader.next(in: all.span, &offset, appendingTo: &bytes) {
                if event != .bytes { others.append(event) }
            }
            var wholes = WebSocketFrameReader(role: .client)
            var place = 0
            var payload: [UInt8] = []
            var header: WebSocketFrameHeader?
            while let step = try? wholes.next(in: all.span, &place, appendingTo: &payload), step != .needMore {
                switch step {
                case .header(let new):
                    header = new
                    frames.append(new.payloadByteCount)
                    payload = []
                case .payload(let isEnd): if isEnd, header?.opcode == .pong { pongs.append(payload) }
                case .needMore: break
                }
            }
        }
    }

    private static func bridge(
        _ fixture: EdgeFixture, _ agent: TestAgent, _ address: SocketAddress, first: [UInt8]
    ) async throws -> (party: RawThirdParty, call: Call, id: String) {
        let intake = try await agent.park()
        let party = try await RawThirdParty.connect(to: address, on: fixture.clients)
        party.send(first)
        let envelope = await intake.head()?.fields ?? HTTPFields()
        let id = envelope.first(named: "inkbox-tcp-id") ?? ""
        let call = try await agent.bindTCP(id)
        #expect(await call.head()?.status == 200)
        return (party, call, id)
    }

    private static let alert80 = "\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}P"
    private static let alert112 = "\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}p"

    @Test func `the agent is offered the connection, and gets its bytes from the first on`() async throws {
        try await Self.run { fixture, address, tunnel in
            let agent = try await fixture.agent(of: tunnel)
            let intake = try await agent.park()
            let party = try await RawThirdParty.connect(to: address, on: fixture.clients)
            let hello = Self.hello(for: tunnel.host)
            party.send(hello)
            let envelope = try #require(await intake.head()?.fields)
            #expect(envelope.first(named: "inkbox-route-kind") == "tcp-stream")
            #expect(envelope.first(named: "inkbox-sni-host") == tunnel.host)
            #expect(envelope.first(named: "inkbox-forwarded-for") == "127.0.0.1")
            let id = try #require(envelope.first(named: "inkbox-tcp-id"))
            let call = try await agent.bindTCP(id)
            let head = try #require(await call.head())
            #expect(head.status == 200 && head.fields.first(named: "sec-websocket-protocol") == "inkbox-tunnel-tcp")
            await call.journal.wait { Reading($0).bytes.count >= hello.count }
            #expect(Self.reading(call).bytes == hello)
            call.write(Self.frame(.ping, [1, 2]) + Self.frame(.binary, Array("welcome".utf8)))
            #expect(await party.text(holding: "welcome") == "welcome")
            await call.journal.wait { !Reading($0).pongs.isEmpty }
            #expect(Self.reading(call).pongs == [[1, 2]])
            #expect(try await agent.bindTCP(id).answer().status == 404, "it is bound already")
        }
    }

    @Test func `frames have at most 16 KiB`() async throws {
        try await Self.run { fixture, address, tunnel in
            let agent = try await fixture.agent(of: tunnel)
            let sent = Self.hello(for: tunnel.host) + [UInt8](repeating: 5, count: 50_000)
            let (_, call, _) = try await Self.bridge(fixture, agent, address, first: sent)
            await call.journal.wait { Reading($0).bytes.count == sent.count }
            #expect(Self.reading(call).bytes == sent)
            #expect(Self.reading(call).frames.allSatisfy { $0 <= 16 * 1024 })
        }
    }

    @Test func `with raw-tcp the bytes are the bytes`() async throws {
        try await Self.run { fixture, address, tunnel in
            let agent = try await fixture.agent(of: tunnel, features: "raw-tcp")
            let hello = Self.hello(for: tunnel.host)
            let (party, call, _) = try await Self.bridge(fixture, agent, address, first: hello)
            await call.journal.wait { $0.byteCount >= hello.count }
            #expect(call.journal.all.flatMap { if case .body(let bytes) = $0 { bytes } else { [UInt8]() } } == hello)
            call.write("raw answer")
            call.finish()
            #expect(await party.textUntilClosed() == "raw answer")
        }
    }

    @Test(arguments: [1000, 1001, 1011] as [UInt16])
    func `what was sent before a goodbye still arrives`(code: UInt16) async throws {
        try await Self.run { fixture, address, tunnel in
            let agent = try await fixture.agent(of: tunnel)
            let (party, call, _) = try await Self.bridge(fixture, agent, address, first: Self.hello(for: tunnel.host))
            call.write(
                Self.frame(.binary, Array("last words".utf8)) + Self.frame(.close, [UInt8(code >> 8), UInt8(code & 255)]))
            #expect(await party.textUntilClosed() == "last words")
        }
    }

    @Test func `an agent that breaks the framing is told so, and its third party is cut off`() async throws {
        try await Self.run { fixture, address, tunnel in
            let agent = try await fixture.agent(of: tunnel)
            let (party, call, _) = try await Self.bridge(fixture, agent, address, first: Self.hello(for: tunnel.host))
            call.write(Self.frame(.text, [1]))
            _ = await party.textUntilClosed()
            await call.journal.wait { !Reading($0).others.isEmpty }
            #expect(Self.reading(call).others == [.close(.protocolError)])
            #expect(try await agent.park().journal.all.isEmpty, "the connection goes on")
        }
    }

    @Test func `a third party that leaves takes its bridge with it`() async throws {
        try await Self.run { fixture, address, tunnel in
            let agent = try await fixture.agent(of: tunnel)
            let (party, call, _) = try await Self.bridge(fixture, agent, address, first: Self.hello(for: tunnel.host))
            party.close()
            await call.journal.wait { $0.hasEnd || $0.isOver }
        }
    }

    @Test func `a service that drains says 4500`() async throws {
        try await Self.run { fixture, address, tunnel in
            let agent = try await fixture.agent(of: tunnel)
            let (party, call, _) = try await Self.bridge(fixture, agent, address, first: Self.hello(for: tunnel.host))
            await fixture.edge.drain()
            await fixture.edge.finish(secondsMax: 1, webSocketSecondsMax: 1, leavesAgents: false)
            _ = await party.textUntilClosed()
            #expect(Self.reading(call).others == [.close(.draining)])
        }
    }

    @Test func `a deleted tunnel ends its connections`() async throws {
        try await Self.run { fixture, address, tunnel in
            let agent = try await fixture.agent(of: tunnel)
            let (party, _, _) = try await Self.bridge(fixture, agent, address, first: Self.hello(for: tunnel.host))
            try await fixture.delete(tunnel)
            _ = await party.textUntilClosed()
        }
    }

    // MARK: Binds that are none

    @Test func `nobody binds what is another's, unknown, or not a bind`() async throws {
        try await Self.run { fixture, address, tunnel in
            let other = try await fixture.agent(of: try await fixture.createTunnel("other"))
            let agent = try await fixture.agent(of: tunnel)
            let intake = try await agent.park()
            let party = try await RawThirdParty.connect(to: address, on: fixture.clients)
            party.send(Self.hello(for: tunnel.host))
            let id = try #require(await intake.head()?.fields.first(named: "inkbox-tcp-id"))
            #expect(try await other.bindTCP(id).answer().status == 404)
            #expect(try await agent.bindTCP("tcp-unknown").answer().status == 404)
            #expect(try await agent.bindTCP(id, secret: "wrong").answer().status == 401)
            #expect(try await agent.bindTCP(id, as: "inkbox-tunnel-ws").answer().status == 405)
            #expect(try await agent.bindTCP(id, method: "POST").answer().status == 405)
            #expect(try await agent.bindTCP(id).head()?.status == 200, "none of these has hurt it")
        }
    }

    // MARK: Alerts

    @Test func `who has no agent gets internal_error`() async throws {
        try await Self.run { fixture, address, tunnel in
            let party = try await RawThirdParty.connect(to: address, on: fixture.clients)
            party.send(Self.hello(for: tunnel.host))
            #expect(await party.textUntilClosed() == Self.alert80)
        }
    }

    @Test func `an agent that does not bind in time costs its third party internal_error`() async throws {
        try await Self.run {
            $0.passthrough.bindSecondsMax = 1
        } _: { fixture, address, tunnel in
            let agent = try await fixture.agent(of: tunnel)
            let intake = try await agent.park()
            let party = try await RawThirdParty.connect(to: address, on: fixture.clients)
            party.send(Self.hello(for: tunnel.host))
            let id = try #require(await intake.head()?.fields.first(named: "inkbox-tcp-id"))
            #expect(await party.textUntilClosed() == Self.alert80)
            #expect(try await agent.bindTCP(id).answer().status == 404)
        }
    }

    @Test func `a tunnel without a certificate is not served`() async throws {
        try await Self.run { fixture, address, _ in
            let waiting = try await fixture.createTunnel("waiting", tlsMode: .passthrough)
            let party = try await RawThirdParty.connect(to: address, on: fixture.clients)
            party.send(Self.hello(for: waiting.host))
            #expect(await party.textUntilClosed() == Self.alert80)
        }
    }

    @Test func `a foreign name gets unrecognized_name`() async throws {
        try await Self.run { fixture, address, _ in
            let party = try await RawThirdParty.connect(to: address, on: fixture.clients)
            party.send(Self.hello(for: "www.example.com") + [UInt8](repeating: 0, count: 40_000))
            #expect(await party.textUntilClosed() == Self.alert112)
        }
    }

    @Test func `one connection too many gets internal_error`() async throws {
        try await Self.run {
            $0.connectionsPerTunnelMax = 1
        } _: { fixture, address, tunnel in
            let agent = try await fixture.agent(of: tunnel)
            let (first, _, _) = try await Self.bridge(fixture, agent, address, first: Self.hello(for: tunnel.host))
            let party = try await RawThirdParty.connect(to: address, on: fixture.clients)
            party.send(Self.hello(for: tunnel.host))
            #expect(await party.textUntilClosed() == Self.alert80)
            first.close()
        }
    }

    // MARK: In clear text

    @Test func `a passthrough name is never served in clear text`() async throws {
        try await Self.run { fixture, _, tunnel in
            let answer = try await fixture.get("/secret", host: tunnel.host)
            #expect(answer.head.status == 421 && answer.head.fields.first(named: "inkbox-reason") == "passthrough-only")
        }
        try await Self.run {
            $0.httpsPort = 8443
        } _: { fixture, _, tunnel in
            let answer = try await fixture.get("/secret?a=b", host: tunnel.host)
            #expect(answer.head.status == 308)
            #expect(answer.head.fields.first(named: "location") == "https://\(tunnel.host):8443/secret?a=b")
        }
    }
}
