import HTTPTransport
import TestSupport
import Testing
import TunnelEdge
import TunnelWire

/// The agents' end of WebSockets, frame by frame; what clients see is tried end to end.
@Suite(.timeLimit(.minutes(5))) struct WebSocketTests {
    /// A third party that has asked for a WebSocket, and an agent that holds its request.
    private struct Offer {
        var thirdParty: Call
        var agent: TestAgent
        var requestID: String
        var webSocketID: String

        func accept() async throws { #expect(try await agent.reply(requestID).status == 200) }
    }

    private func offer(_ edge: EdgeFixture, features: String? = nil) async throws -> Offer {
        let tunnel = try await edge.createTunnel()
        let agent = try await edge.agent(of: tunnel, features: features)
        let intake = try await agent.park()
        let thirdParty = try await edge.thirdParty(of: tunnel).call(
            "CONNECT", "/chat?x=1", host: tunnel.host, [("sec-websocket-version", "13"), ("sec-websocket-protocol", "a, b")],
            isWhole: false, upgradeProtocol: "websocket")
        let head = try #require(await intake.head())
        #expect(head.fields.first(named: "inkbox-route-kind") == "ws-upgrade")
        #expect(head.fields.first(named: "inkbox-method") == "GET")
        #expect(head.fields.first(named: "inkbox-h-sec-websocket-protocol") == "a, b")
        #expect(head.fields.first(named: "inkbox-h-sec-websocket-version") == nil)
        return Offer(
            thirdParty: thirdParty, agent: agent, requestID: await intake.requestID(),
            webSocketID: head.fields.first(named: "inkbox-ws-id") ?? "")
    }

    private func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8], isMasked: Bool = true) -> [UInt8] {
        var bytes: [UInt8] = []
        let header = WebSocketFrameHeader(
            opcode: opcode, payloadByteCount: payload.count, maskingKey: isMasked ? 0x1122_3344 : nil)
        bytes.append(header, payload: payload.span)
        return bytes
    }

    @Test func `an agent accepts, binds and speaks`() async throws {
        try await EdgeFixture.run { edge in
            let offer = try await offer(edge)
            // Before the answer: it must not be lost.
            offer.thirdParty.write(frame(.text, Array("early".utf8)))
            #expect(try await offer.agent.reply(offer.requestID, [("sec-websocket-protocol", "b")]).status == 200)
            #expect(await offer.thirdParty.head()?.status == 200)
            #expect(await offer.thirdParty.head()?.fields.first(named: "sec-websocket-protocol") == "b")
            let bridge = try await offer.agent.bind(offer.webSocketID)
            #expect(await bridge.head()?.status == 200)
            #expect(await bridge.body(endingWith: #""early"}"#).hasSuffix(#"{"type":"text","data":"early"}"#))
            bridge.write(frame(.binary, BridgeMessage.text(Array("hello".utf8)).envelope))
            #expect(await offer.thirdParty.body(endingWith: "hello") == "\u{81}\u{05}hello".latin1Lossy)
            bridge.write(frame(.binary, BridgeMessage.close(code: 4001, reason: "").envelope))
            offer.thirdParty.write(frame(.close, [0x0F, 0xA1]))
            offer.thirdParty.finish()
            bridge.finish()
            #expect(await offer.thirdParty.answer().error == nil)
            #expect(await bridge.answer().error == nil)
        }
    }

    @Test func `only the tunnel's own agent binds, once, and with the right words`() async throws {
        try await EdgeFixture.run { edge in
            let offer = try await offer(edge)
            try await offer.accept()
            let other = try await edge.agent(of: try await edge.createTunnel("other-agent"))
            #expect(await (try await other.bind(offer.webSocketID)).answer().status == 404)
            #expect(await (try await offer.agent.bind(offer.webSocketID, secret: "tnl_wrong")).answer().status == 401)
            #expect(await (try await offer.agent.bind(offer.webSocketID, as: "websocket")).answer().status == 405)
            #expect(await (try await offer.agent.bind(offer.webSocketID, method: "POST")).answer().status == 405)
            #expect(await (try await offer.agent.bind("ws-nothing")).answer().status == 404)
            #expect(await (try await offer.agent.bind(offer.webSocketID)).head()?.status == 200)
            #expect(await (try await offer.agent.bind(offer.webSocketID)).answer().status == 404)
        }
    }

    @Test func `nothing can be bound before it is accepted`() async throws {
        try await EdgeFixture.run { edge in
            let offer = try await offer(edge)
            #expect(await (try await offer.agent.bind(offer.webSocketID)).answer().status == 404)
        }
    }

    @Test func `a subprotocol that nobody offered is no answer`() async throws {
        try await EdgeFixture.run { edge in
            let offer = try await offer(edge)
            _ = try await offer.agent.reply(offer.requestID, [("sec-websocket-protocol", "c")])
            let answer = await offer.thirdParty.answer()
            #expect(answer.status == 502)
            #expect(answer.reason == "invalid-reply")
        }
    }

    @Test func `an agent that never binds costs the third party its WebSocket, with 4504`() async throws {
        try await EdgeFixture.run {
            $0.webSocket.bindSecondsMax = 1
        } _: { edge in
            let offer = try await offer(edge)
            try await offer.accept()
            let events = await offer.thirdParty.journal.wait { $0.byteCount >= 4 || $0.isOver }
            #expect(events.bytes == [0x88, 0x02, 0x11, 0x98])
            #expect(await (try await offer.agent.bind(offer.webSocketID)).answer().status == 404)
        }
    }

    @Test func `a third party that never closes its side is cut off`() async throws {
        try await EdgeFixture.run {
            $0.webSocket.pump.closeSecondsMax = 1
        } _: { edge in
            let offer = try await offer(edge)
            try await offer.accept()
            let bridge = try await offer.agent.bind(offer.webSocketID)
            bridge.write(frame(.binary, BridgeMessage.close(code: 1000, reason: "").envelope))
            #expect(await offer.thirdParty.answer().status == 200)
            // The agent's side stays open as well, and is ended all the same.
            _ = await bridge.answer()
        }
    }

    @Test(arguments: [(nil, 1009), ("stream-bridges", nil)] as [(String?, Int?)])
    func `a message that cannot reach an agent in one window closes its WebSocket only`(
        features: String?, code: Int?
    ) async throws {
        try await EdgeFixture.run { edge in
            let offer = try await offer(edge, features: features)
            try await offer.accept()
            let bridge = try await offer.agent.bind(offer.webSocketID)
            #expect(await bridge.head()?.status == 200)
            offer.thirdParty.write(frame(.text, [UInt8](repeating: 0x61, count: 40_000)))
            guard let code else {
                #expect(await bridge.body(endingWith: #"a"}"#).utf8.count > 40_000)
                return
            }
            let events = await offer.thirdParty.journal.wait { $0.byteCount >= 4 || $0.isOver }
            #expect(events.bytes == [0x88, 0x02, UInt8(code >> 8), UInt8(code & 0xFF)])
            #expect(await bridge.body(endingWith: #""reason":""}"#).hasSuffix(#"{"type":"close","code":1009,"reason":""}"#))
            // The connection carries the next request as before.
            let intake = try await offer.agent.park()
            async let answer = edge.get(host: offer.agent.tunnel.host)
            #expect(try await offer.agent.reply(await intake.requestID(), body: "fine").status == 200)
            #expect(try await answer.head.status == 200)
        }
    }

    @Test(arguments: [false, true])
    func `behind a message that cannot reach the agent nothing reaches it`(isBoundBefore: Bool) async throws {
        try await EdgeFixture.run { edge in
            let offer = try await offer(edge)
            try await offer.accept()
            let large = frame(.text, [UInt8](repeating: 0x61, count: 40_000))
            let bridge: Call
            if isBoundBefore {
                bridge = try await offer.agent.bind(offer.webSocketID)
                #expect(await bridge.head()?.status == 200)
                offer.thirdParty.write(large + frame(.text, [0x62]))
            } else {
                offer.thirdParty.write(large + frame(.text, [0x62]) + frame(.ping, [0x63]))
                // The pong says that the edge has read all of it.
                _ = await offer.thirdParty.journal.wait { $0.byteCount >= 3 || $0.isOver }
                bridge = try await offer.agent.bind(offer.webSocketID)
            }
            let said = await bridge.body(endingWith: #""reason":""}"#)
            #expect(said.hasSuffix(#"{"type":"close","code":1009,"reason":""}"#) && said.utf8.count < 100)
            let events = await offer.thirdParty.journal.wait { $0.byteCount >= (isBoundBefore ? 4 : 7) || $0.isOver }
            #expect(events.bytes.suffix(4) == [0x88, 0x02, 0x03, 0xF1])
        }
    }

    @Test func `over HTTP/2 a success other than 200 opens nothing, and is no refusal either`() async throws {
        try await EdgeFixture.run { edge in
            let offer = try await offer(edge)
            _ = try await offer.agent.reply(offer.requestID, status: 201)
            let answer = await offer.thirdParty.answer()
            #expect(answer.status == 502)
            #expect(answer.reason == "invalid-reply")
        }
    }

    @Test func `an agent that sends nonsense ends the WebSocket with 1011`() async throws {
        try await EdgeFixture.run { edge in
            let offer = try await offer(edge)
            try await offer.accept()
            let bridge = try await offer.agent.bind(offer.webSocketID)
            bridge.write(frame(.binary, [0, 0, 0, 2, 0x7B, 0x7B]))
            let events = await offer.thirdParty.journal.wait { $0.byteCount >= 4 || $0.isOver }
            #expect(events.bytes.prefix(1) == [0x88])
            #expect(events.bytes.dropFirst(2).prefix(2) == [0x03, 0xF3])
            #expect(await bridge.answer().error != nil)
        }
    }
}

extension [Call.Event] {
    fileprivate var bytes: [UInt8] { flatMap { if case .body(let bytes) = $0 { bytes } else { [UInt8]() } } }
}

extension String {
    /// The text as it looks when its Latin-1 bytes are read as UTF-8 with replacement.
    fileprivate var latin1Lossy: String { String(decoding: unicodeScalars.map { UInt8($0.value) }, as: UTF8.self) }
}
