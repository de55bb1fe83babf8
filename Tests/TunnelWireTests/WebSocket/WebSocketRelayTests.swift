import TestSupport
import Testing

@testable import TunnelWire

@Suite struct WebSocketRelayTests {
    private typealias Action = WebSocketRelay.Action

    private func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8] = [], key: UInt32? = 0x0102_0304) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(
            WebSocketFrameHeader(opcode: opcode, payloadByteCount: payload.count, maskingKey: key), payload: payload.span)
        return bytes
    }

    private func toPeer(_ opcode: WebSocketOpcode, _ payload: [UInt8] = []) -> Action {
        .toPeer(frame(opcode, payload, key: nil))
    }
    private func toBridge(_ message: BridgeMessage) -> Action { .toBridge(frame(.binary, message.envelope, key: nil)) }
    private func close(_ code: UInt16, _ reason: String = "") -> [UInt8] {
        WebSocketClose(WebSocketCloseCode(rawValue: code), reason: reason).payload
    }

    /// What the edge's relay does when it is told these things one after the other.
    private func run(_ events: (inout WebSocketRelay, inout [Action]) -> Void) -> [Action] {
        var relay = WebSocketRelay.edge(messageByteCountMax: 100)
        var actions: [Action] = []
        events(&relay, &actions)
        return actions
    }

    @Test func `messages cross whole, both ways`() {
        let actions = run { relay, actions in
            relay.receiveFromPeer((frame(.text, [0x68]) + frame(.binary, [1, 2])).span, into: &actions)
            relay.receiveFromBridge(frame(.binary, BridgeMessage.text([0x69]).envelope).span, into: &actions)
            relay.receiveFromBridge(frame(.binary, BridgeMessage.binary([3]).envelope).span, into: &actions)
        }
        #expect(actions == [toBridge(.text([0x68])), toBridge(.binary([1, 2])), toPeer(.text, [0x69]), toPeer(.binary, [3])])
    }

    @Test func `pings are answered where they come from`() {
        let actions = run { relay, actions in
            relay.receiveFromPeer(frame(.ping, [9]).span, into: &actions)
            relay.receiveFromBridge(frame(.ping, [8]).span, into: &actions)
        }
        #expect(actions == [toPeer(.pong, [9]), .toBridge(frame(.pong, [8], key: nil))])
    }

    @Test func `the peer's close is answered and passed on`() {
        let actions = run { relay, actions in
            relay.receiveFromPeer(frame(.close, close(4001, "bye")).span, into: &actions)
            #expect(relay.isOver)
        }
        #expect(
            actions == [
                toPeer(.close, close(4001, "bye")), .finishPeer, toBridge(.close(code: 4001, reason: "bye")), .finishBridge,
            ])
    }

    @Test func `a close without a code never becomes 1005`() {
        let actions = run { relay, actions in relay.receiveFromPeer(frame(.close).span, into: &actions) }
        #expect(actions == [toPeer(.close), .finishPeer, toBridge(.close(code: 1000, reason: "")), .finishBridge])
    }

    @Test(arguments: [
        (4001, 4001), (1000, 1000), (1005, 1000), (1006, 1011), (0, 1011), (70000, 1011), (-1, 1011), (2999, 1011),
    ])
    func `the agent's close reaches the peer with a number that may be sent`(given: Int, sent: UInt16) {
        let actions = run { relay, actions in
            relay.receiveFromBridge(frame(.binary, BridgeMessage.close(code: given, reason: "r").envelope).span, into: &actions)
            // The SDK says close once more, and ends the outer framing.
            relay.receiveFromBridge(frame(.binary, BridgeMessage.close(code: 1000, reason: "").envelope).span, into: &actions)
            relay.receiveFromBridge(frame(.close, [3, 232]).span, into: &actions)
            relay.bridgeEnded(wasLost: false, into: &actions)
            #expect(!relay.isOver)
            relay.receiveFromPeer(frame(.text, [1]).span, into: &actions)
            relay.receiveFromPeer(frame(.close, close(sent)).span, into: &actions)
            #expect(relay.isOver)
        }
        #expect(actions == [toPeer(.close, close(sent, "r")), .finishBridge, .finishPeer])
    }

    @Test(arguments: [(false, 1011), (true, 1012)] as [(Bool, UInt16)])
    func `a bridge that ends without a close is told apart from one that is lost`(wasLost: Bool, code: UInt16) {
        let actions = run { relay, actions in
            relay.bridgeEnded(wasLost: wasLost, into: &actions)
            relay.closingTimedOut(into: &actions)
            #expect(relay.isOver)
        }
        #expect(actions == [toPeer(.close, close(code)), .finishBridge, .finishPeer])
    }

    @Test func `a peer that vanishes is gone for the agent`() {
        let actions = run { relay, actions in relay.peerEnded(into: &actions) }
        #expect(actions == [.finishPeer, toBridge(.close(code: 1001, reason: "")), .finishBridge])
    }

    @Test func `nothing crosses behind a message that is too large for the bridge`() {
        let actions = run { relay, actions in
            relay.bridgeFrameByteCountMax = 60
            relay.receiveFromPeer((frame(.text, [0x61]) + frame(.text, .init(repeating: 0x62, count: 60))).span, into: &actions)
            relay.receiveFromPeer((frame(.text, [0x63]) + frame(.close, close(4001))).span, into: &actions)
            #expect(relay.isOver)
        }
        #expect(
            actions == [
                toBridge(.text([0x61])), toPeer(.close, close(1009)), toBridge(.close(code: 1009, reason: "")), .finishBridge,
                .finishPeer,
            ])
    }

    @Test(arguments: [false, true])
    func `when what waits is dropped the agent hears why, also behind the peer's own close`(isClosed: Bool) {
        let actions = run { relay, actions in
            if isClosed { relay.receiveFromPeer(frame(.close, close(4001)).span, into: &actions) }
            actions = []
            relay.waitingDropped(into: &actions)
        }
        let toAgent = toBridge(.close(code: 1009, reason: ""))
        #expect(actions == (isClosed ? [toAgent] : [toPeer(.close, close(1009)), toAgent, .finishBridge]))
    }

    @Test func `a peer that breaks the rules is told which`() {
        for (bytes, code) in [
            (frame(.text, [0xFF]), 1007), (frame(.text, key: nil), 1002),
            (frame(.binary, .init(repeating: 0, count: 101)), 1009),
        ] {
            let actions = run { relay, actions in relay.receiveFromPeer(bytes.span, into: &actions) }
            let number = UInt16(code)
            #expect(
                actions == [
                    toPeer(.close, close(number)), .finishPeer, toBridge(.close(code: code, reason: "")), .finishBridge,
                ])
        }
    }

    @Test func `an agent that makes no sense ends the WebSocket and nothing else`() {
        let actions = run { relay, actions in
            relay.receiveFromBridge(frame(.binary, [0, 0, 0, 1, 0x7B]).span, into: &actions)
            relay.receiveFromBridge(frame(.binary, BridgeMessage.text([1]).envelope).span, into: &actions)
        }
        #expect(actions == [.resetBridge, toPeer(.close, close(1011, "the tunnel's agent sent what makes no sense"))])
    }

    @Test func `an agent's message past the bound closes with 1009 on both sides`() {
        let large = BridgeMessage.text([UInt8](repeating: 0x61, count: 101))
        let actions = run { relay, actions in relay.receiveFromBridge(frame(.binary, large.envelope).span, into: &actions) }
        #expect(actions == [toPeer(.close, close(1009)), toBridge(.close(code: 1009, reason: "")), .finishBridge])
    }

    /// Two relays back to back, a client and a target at their ends, everything cut at random.
    @Test func `through edge and agent messages arrive in order, and every end hears of the end once`() throws {
        try checkProperty { sample in
            var line = Line(sample: &sample)
            for _ in 0..<sample.int(in: 0...30) { try line.step(&sample) }
            try line.settle(&sample)
        }
    }

    private struct Wrong: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }

    /// The pipes between the four parties, each with what has not been read yet.
    private struct Line {
        var edge = WebSocketRelay.edge(messageByteCountMax: 1000)
        var agent: WebSocketRelay
        var clientToEdge: [UInt8] = [], edgeToClient: [UInt8] = [], edgeToAgent: [UInt8] = [], agentToEdge: [UInt8] = []
        var agentToTarget: [UInt8] = [], targetToAgent: [UInt8] = []
        var isBridgeDoneAtEdge = false, isBridgeDoneAtAgent = false
        var sentByClient: [BridgeMessage] = [], sentByTarget: [BridgeMessage] = []
        var client = End(role: .client), target = End(role: .server)

        init(sample: inout Sample) {
            let key = UInt32(sample.int(in: 0...Int(UInt32.max)))
            agent = .agent(messageByteCountMax: 1000, nextMaskingKey: { key })
        }

        /// A party at the end of the line.
        struct End {
            var reader: WebSocketMessageReader
            var heard: [BridgeMessage] = []
            var closes: [WebSocketClose] = []
            var hasClosed = false

            init(role: WebSocketFrameReader.Role) { reader = WebSocketMessageReader(role: role, messageByteCountMax: 1000) }

            mutating func read(_ bytes: [UInt8]) throws {
                var offset = 0
                while let event = try reader.next(in: bytes.span, &offset) {
                    switch event {
                    case .text(let bytes): heard.append(.text(bytes))
                    case .binary(let bytes): heard.append(.binary(bytes))
                    case .close(let close): closes.append(close)
                    case .ping, .pong: break
                    }
                }
            }
        }

        mutating func step(_ sample: inout Sample) throws {
            switch sample.int(in: 0...9) {
            case 0, 1:
                guard !client.hasClosed else { return }
                let message = Line.message(&sample)
                sentByClient.append(message)
                clientToEdge += Line.frame(message, key: 77)
            case 2, 3:
                guard !target.hasClosed else { return }
                let message = Line.message(&sample)
                sentByTarget.append(message)
                targetToAgent += Line.frame(message, key: nil)
            case 4 where sample.chance(oneIn: 6): closeClient(code: 4001)
            case 5 where sample.chance(oneIn: 6): closeTarget(code: 4002)
            default: try move(&sample)
            }
        }

        mutating func closeClient(code: UInt16) {
            guard !client.hasClosed else { return }
            client.hasClosed = true
            clientToEdge += Line.frame(.close, WebSocketClose(.init(rawValue: code)).payload, key: 5)
        }

        mutating func closeTarget(code: UInt16) {
            guard !target.hasClosed else { return }
            target.hasClosed = true
            targetToAgent += Line.frame(.close, WebSocketClose(.init(rawValue: code)).payload, key: nil)
        }

        static func message(_ sample: inout Sample) -> BridgeMessage {
            sample.bool()
                ? .text(Array(sample.text(of: "aé\"", count: 0...40).utf8)) : .binary(sample.bytes(sample.int(in: 0...200)))
        }

        static func frame(_ message: BridgeMessage, key: UInt32?) -> [UInt8] {
            switch message {
            case .text(let bytes): frame(.text, bytes, key: key)
            case .binary(let bytes): frame(.binary, bytes, key: key)
            case .close: []
            }
        }

        static func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8], key: UInt32?) -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.append(
                WebSocketFrameHeader(opcode: opcode, payloadByteCount: payload.count, maskingKey: key), payload: payload.span)
            return bytes
        }

        /// Moves a part of one pipe to its reader.
        mutating func move(_ sample: inout Sample, all: Bool = false) throws {
            let pipe = sample.int(in: 0...5)
            try move(pipe, upTo: all ? .max : sample.int(in: 1...60))
        }

        mutating func move(_ pipe: Int, upTo count: Int) throws {
            var actions: [Action] = []
            switch pipe {
            case 0:
                edge.receiveFromPeer(Line.take(&clientToEdge, count).span, into: &actions)
                try doAtEdge(actions)
            case 1: try client.read(Line.take(&edgeToClient, count))
            case 2:
                agent.receiveFromBridge(Line.take(&edgeToAgent, count).span, into: &actions)
                if edgeToAgent.isEmpty, isBridgeDoneAtEdge { agent.bridgeEnded(wasLost: false, into: &actions) }
                try doAtAgent(actions)
            case 3:
                edge.receiveFromBridge(Line.take(&agentToEdge, count).span, into: &actions)
                if agentToEdge.isEmpty, isBridgeDoneAtAgent { edge.bridgeEnded(wasLost: false, into: &actions) }
                try doAtEdge(actions)
            case 4: try target.read(Line.take(&agentToTarget, count))
            default:
                agent.receiveFromPeer(Line.take(&targetToAgent, count).span, into: &actions)
                try doAtAgent(actions)
            }
        }

        static func take(_ pipe: inout [UInt8], _ count: Int) -> [UInt8] {
            let taken = Array(pipe.prefix(count))
            pipe.removeFirst(taken.count)
            return taken
        }

        mutating func doAtEdge(_ actions: [Action]) throws {
            for action in actions {
                switch action {
                case .toPeer(let bytes): edgeToClient += bytes
                case .toBridge(let bytes):
                    guard !isBridgeDoneAtEdge else { throw Wrong("the edge speaks behind its end") }
                    edgeToAgent += bytes
                case .finishBridge: isBridgeDoneAtEdge = true
                case .finishPeer: break
                case .resetBridge: throw Wrong("the agent's bytes make no sense")
                }
            }
        }

        mutating func doAtAgent(_ actions: [Action]) throws {
            for action in actions {
                switch action {
                case .toPeer(let bytes): agentToTarget += bytes
                case .toBridge(let bytes):
                    guard !isBridgeDoneAtAgent else { throw Wrong("the agent speaks behind its end") }
                    agentToEdge += bytes
                case .finishBridge: isBridgeDoneAtAgent = true
                case .finishPeer: break
                case .resetBridge: throw Wrong("the edge's bytes make no sense")
                }
            }
        }

        /// Lets everything arrive; if nobody has closed, the client does.
        mutating func settle(_ sample: inout Sample) throws {
            let hadClosed = client.hasClosed || target.hasClosed
            if !hadClosed { closeClient(code: 4003) }
            for _ in 0..<20 {
                for pipe in 0...5 { try move(pipe, upTo: .max) }
                // Whoever hears a close answers it.
                if !client.closes.isEmpty { closeClient(code: client.closes[0].code?.rawValue ?? 1000) }
                if !target.closes.isEmpty { closeTarget(code: target.closes[0].code?.rawValue ?? 1000) }
            }
            guard edge.isOver, agent.isOver else { throw Wrong("a relay is not over") }
            guard client.closes.count == 1, target.closes.count == 1 else {
                throw Wrong("closes: \(client.closes.count) and \(target.closes.count)")
            }
            guard sentByClient.starts(with: target.heard), sentByTarget.starts(with: client.heard) else { throw Wrong("order") }
            if !hadClosed, target.heard != sentByClient { throw Wrong("a message was lost before the close") }
        }
    }
}
