import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

/// What concerns an HTTP/2 connection as a whole.
@Suite(.timeLimit(.minutes(5)))
struct ConnectionTests {
    @Test func `a goodbye brings its code and words to the client, and what is open may finish`() async throws {
        try await withServer(Script(onEnd: { _, _ in })) { server in
            let events = Journal<ConnectionEvent>()
            let results = Journal<CallResult>()
            let bound = try await server.door.run { [address = server.address] loop in
                let caller = try HTTP2Caller.open(to: address, tls: nil, on: loop)
                caller.journal = events
                caller.send(StreamTests.head()) { results.add($0) }
                return LoopBound(caller, on: loop)
            }
            await server.journal.wait { $0.endCount == 1 }
            let words = Array(#"{"reason":"superseded"}"#.utf8)
            try await server.withConnections { connections in
                (connections.first as? HTTP2Connection)?.goAway(errorCode: 0x1201, debugData: words)
            }
            await events.wait { $0.contains(.goingAway(errorCode: 0x1201, debugData: words)) }
            // Nothing new begins, and the client knows it.
            try await server.door.run { loop in
                #expect(bound.value(on: loop).connection?.mayBegin == false)
                bound.value(on: loop).send(StreamTests.head()) { #expect($0.error == .refusedByPeer) }
            }
            #expect(results.all.isEmpty)
            try await server.withStreams { $0.first?.respond(.status(204), isEnd: true) }
            #expect(await results.wait { !$0.isEmpty }.first?.status == 204)
            await events.wait { $0.contains(.closed) }
            #expect(server.journal.all.targets.count == 1)
        }
    }

    @Test func `a drained connection closes when its last stream is done`() async throws {
        try await withServer(Script(onEnd: { _, _ in })) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1))
            await server.journal.wait { $0.endCount == 1 }
            try await server.withConnections { $0.first?.drain() }
            #expect(await client.frames(until: .goAway).first(.goAway)?.errorCode == 0)
            #expect(server.journal.all.connectionClosings.isEmpty)
            try await server.withStreams { $0.first?.respond(.status(204), isEnd: true) }
            #expect(await client.framesUntilClosed().first(.headers)?.stream == 1)
            #expect(client.journal.all.wasClosedInOrder)
        }
    }

    @Test func `a peer that answers no ping is given up`() async throws {
        let settings = FloodTests.settings {
            $0.pingIntervalSeconds = 1
            $0.pingTimeoutSeconds = 1
        }
        try await withServer(settings: settings, Script(onEnd: { _, _ in })) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1))
            let events = await server.journal.wait { !$0.connectionClosings.isEmpty }
            #expect(events.connectionClosings == [.timedOut("an answer to PING")])
            #expect(events.streamClosings == [.connectionLost(.timedOut("an answer to PING"))])
            #expect(RawFrame.all(in: client.bytes).first(.ping) != nil)
        }
    }

    @Test func `a peer that answers its pings is kept`() async throws {
        let settings = FloodTests.settings {
            $0.pingIntervalSeconds = 1
            $0.pingTimeoutSeconds = 600
        }
        try await withServer(settings: settings) { server in
            let client = try await server.client()
            client.send(RawFrame.hello)
            // While one is not answered no other is sent.
            for count in 1...3 {
                let ping = try #require(await client.frames(until: .ping, count: count).all(.ping).last)
                client.send(RawFrame.frame(.ping, flags: RawFrame.acknowledgement, ping.payload))
            }
            client.send(RawFrame.request(1))
            #expect(await client.frames(until: .headers).first(.headers)?.stream == 1)
        }
    }

    @Test func `extended CONNECT is offered when asked for, and a request of it says its protocol`() async throws {
        let settings = FloodTests.settings { $0.offersExtendedConnect = true }
        try await withServer(settings: settings) { server in
            let client = try await server.client()
            client.send(RawFrame.hello)
            let offer = try #require(await client.frames(until: .settings).first(.settings))
            // SETTINGS_ENABLE_CONNECT_PROTOCOL is 8 (RFC 8441 §3).
            #expect(offer.payload.firstRange(of: [0, 8, 0, 0, 0, 1]) != nil)
        }
        try await withServer { server in
            let client = try await server.client()
            client.send(RawFrame.hello)
            let offer = try #require(await client.frames(until: .settings).first(.settings))
            #expect(offer.payload.firstRange(of: [0, 8, 0, 0, 0, 1]) == nil)
        }
    }

    @Test func `a connection that moves to another loop works on there`() async throws {
        let other = try EventLoop(index: 1)
        defer { other.stop() }
        try await withServer(Script(onEnd: { _, _ in })) { server in
            let client = try await server.client()
            client.send(RawFrame.hello + RawFrame.request(1))
            await server.journal.wait { $0.endCount == 1 }
            let moved = Journal<ServerEvent>()
            let script = Script(onEnd: { head, stream in stream.respond(.status(200), body: Array(head.method.utf8)) })
            try await server.withConnections { connections in
                (connections.first as? HTTP2Connection)?.move(to: other) { loop in
                    #expect(loop.door === other)
                    return ScriptedHandler(script, moved)
                } leave: {
                }
            }
            // What comes while it moves, and after, is served by the other loop; the old stream is still its own.
            client.send(RawFrame.request(3, method: "PUT"))
            let events = await moved.wait { $0.endCount == 1 }
            #expect(events.targets == ["/"])
            #expect(server.journal.all.targets.count == 1)
            let frames = await client.frames(until: .data)
            #expect(frames.first(.data)?.payload == Array("PUT".utf8))
            #expect(frames.first(.data)?.stream == 3)
            client.reset()
            await moved.wait { !$0.connectionClosings.isEmpty }
            #expect(server.journal.all.streamClosings.count == 1)
        }
    }
}
