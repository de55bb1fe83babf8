internal import Synchronization
internal import Testing
internal import TunnelAgent
internal import TunnelWire

/// WebSockets that a closure of the embedding program serves.
@Suite(.timeLimit(.minutes(5)))
struct HandlerWebSocketTests {
    /// What a closure saw, in order.
    private enum Seen: Sendable, Equatable {
        case message(AgentWebSocketMessage)
        case end(AgentWebSocketClose?)
        case lost
    }

    /// A handler that echoes until the third party closes, and tells what it saw.
    private func echo(_ inbox: AsyncStream<Seen>.Continuation) -> AgentWork {
        .handler { request in
            guard request.asksForWebSocket else { return AgentResponse(status: 418) }
            return .webSocket(subprotocol: request.subprotocols.last, fields: [AgentField("x-answer", "yes")]) { socket in
                do {
                    for try await message in socket.messages {
                        inbox.yield(.message(message))
                        try await socket.send(message)
                    }
                    inbox.yield(.end(socket.closeByThirdParty))
                } catch AgentBodyError.thirdPartyGone {
                    inbox.yield(.lost)
                }
            }
        }
    }

    private func event(_ message: BridgeMessage) -> ScriptedEdge.Event { .bridge(.message(message)) }

    @Test func `messages come and go, and the close of the third party is the end`() async throws {
        let (seen, inbox) = AsyncStream<Seen>.makeStream()
        var test = try await AgentUnderTest.connected(serving: echo(inbox))
        test.edge.sendUpgrade("r1", webSocketID: "ws-1", fields: [("sec-websocket-protocol", "a, b")])
        let reply = try await test.reply("r1")
        #expect(reply.status == "200")
        #expect(reply.fields.sorted() == ["sec-websocket-protocol: b", "x-answer: yes"])
        try await test.edgeEvents.wait(for: .bound(webSocketID: "ws-1", protocol: "inkbox-tunnel-ws"))
        test.edge.say(.text(Array("hé".utf8)))
        test.edge.say(.binary([0, 255]))
        try await test.edgeEvents.wait(for: event(.text(Array("hé".utf8))))
        try await test.edgeEvents.wait(for: event(.binary([0, 255])))
        test.edge.say(.close(code: 4001, reason: "bye"))
        try await test.edgeEvents.wait(for: event(.close(code: 1000, reason: "")))
        try await test.edgeEvents.wait(for: .bridgeEnded)
        var iterator = seen.makeAsyncIterator()
        for expected in [
            .message(.text("hé")), .message(.binary([0, 255])), .end(AgentWebSocketClose(code: 4001, reason: "bye")),
        ] as [Seen] { #expect(await iterator.next() == expected) }
        #expect(try await test.report().status == 101)
        _ = await test.stop()
    }

    @Test func `a closure may refuse with any response`() async throws {
        var test = try await AgentUnderTest.connected(
            serving: .handler { _ in AgentResponse(status: 403, body: Array("no".utf8)) })
        test.edge.sendUpgrade("r1", webSocketID: "ws-1")
        let reply = try await test.reply("r1")
        #expect(reply.status == "403")
        #expect(reply.bodyByteCount == 2)
        #expect(try await test.report().status == 403)
        _ = await test.stop()
    }

    @Test func `a WebSocket for a plain request is a 502`() async throws {
        var test = try await AgentUnderTest.connected(serving: .handler { _ in .webSocket { _ in } })
        test.edge.send("r1", "GET", "/")
        #expect(try await test.reply("r1").status == "502")
        _ = await test.stop()
    }

    @Test(arguments: [0, 1, 2]) func `the way in which the closure ends is the close`(way: Int) async throws {
        struct Trouble: Error {}
        var test = try await AgentUnderTest.connected(
            serving: .handler { _ in
                .webSocket { socket in
                    // Sent before the server has taken the bind: it must wait, not vanish.
                    try await socket.send("first")
                    switch way {
                    case 0: return socket.close(code: 4005, reason: "done")
                    case 1: throw AgentWebSocketClose(code: 4005, reason: "done")
                    default: throw Trouble()
                    }
                }
            })
        test.edge.sendUpgrade("r1", webSocketID: "ws-1")
        try await test.edgeEvents.wait(for: event(.text(Array("first".utf8))))
        let close: BridgeMessage = way < 2 ? .close(code: 4005, reason: "done") : .close(code: 1011, reason: "")
        try await test.edgeEvents.wait(for: event(close))
        try await test.edgeEvents.wait(for: .bridgeEnded)
        _ = await test.stop()
    }

    @Test(arguments: ["reset", "end", "nonsense", "refused", "connection"])
    func `a lost bridge ends the closure's reading`(how: String) async throws {
        let (seen, inbox) = AsyncStream<Seen>.makeStream()
        var test = try await AgentUnderTest.connected(serving: echo(inbox))
        if how == "refused" { test.edge.answerBinds(status: 404) }
        test.edge.sendUpgrade("r1", webSocketID: "ws-1")
        try await test.edgeEvents.wait(for: .bound(webSocketID: "ws-1", protocol: "inkbox-tunnel-ws"))
        switch how {
        case "reset": test.edge.resetBridge()
        case "end": test.edge.endBridge()
        case "nonsense": test.edge.sayNonsense()
        case "connection": test.edge.dropConnections()
        default: break
        }
        var iterator = seen.makeAsyncIterator()
        #expect(await iterator.next() == .lost)
        _ = await test.stop()
    }

    @Test func `a closure that sends faster than it is read waits`() async throws {
        let sent = Mutex(0)
        var test = try await AgentUnderTest.connected(
            serving: .handler { _ in
                .webSocket { socket in
                    for _ in 0..<200 {
                        try await socket.send(.binary([UInt8](repeating: 7, count: 48 * 1024)))
                        sent.withLock { $0 += 1 }
                    }
                }
            })
        test.edge.takeReplies(false)
        test.edge.sendUpgrade("r1", webSocketID: "ws-1")
        let message = event(.binary([UInt8](repeating: 7, count: 48 * 1024)))
        try await test.edgeEvents.wait(for: message)
        // 200 messages make 12 MiB of base64: far more than every window and buffer between the two holds.
        #expect(sent.withLock { $0 } < 200)
        test.edge.takeReplies(true)
        for _ in 1..<200 { try await test.edgeEvents.wait(for: message) }
        try await test.edgeEvents.wait(for: event(.close(code: 1000, reason: "")))
        #expect(sent.withLock { $0 } == 200)
        _ = await test.stop()
    }
}
