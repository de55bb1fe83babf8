@testable import HTTPTransport
import TestSupport
import TunnelDomain
@testable import TunnelEdge

// What must be true of WebSockets.
extension SimulationRun {
    /// After every event: nothing but what the other end has said, in order, in legal frames; one bridge for each, of its own
    /// tunnel, that ends once; and bounded memory.
    func checkWebSockets(_ sample: Sample) throws {
        for webSocket in world.webSockets {
            let name = "WebSocket \(webSocket.number)"
            try sample.check(webSocket.flaw == nil, "\(name): \(webSocket.flaw ?? "")")
            try sample.check(webSocket.bridges.count(where: \.isBound) <= 1, "\(name) has more than one bridge")
            for bridge in webSocket.bridges {
                try sample.check(bridge.flaw == nil, "the bridge of \(name): \(bridge.flaw ?? "")")
                try sample.check(bridge.closingCount <= 1, "the bridge of \(name) ended \(bridge.closingCount) times")
                let isOwn = bridge.agent.tunnel == webSocket.tunnel
                try sample.check(!bridge.isBound || isOwn, "\(name) was joined by an agent of another tunnel")
            }
            world.record("\(webSocket.number) \(webSocket.heardCount) \(webSocket.bridge?.heardCount ?? -1)")
        }
        for connection in world.front.openConnections.compactMap({ $0 as? HTTP2Connection }) {
            try sample.check(
                connection.waitingForRoom.count <= connection.openStreamCount, "a stream waits for room more than once")
        }
        for count in world.front.openSites.flatMap(\.webSocketByteCounts) {
            try sample.check(count <= Simulation.heldByteCountMax, "the edge holds \(count) bytes of one WebSocket")
        }
    }

    /// Brings all WebSockets to their ends, in order where nobody has broken anything.
    mutating func endWebSockets(_ sample: inout Sample) throws {
        guard !world.webSockets.isEmpty else { return }
        for webSocket in world.webSockets { webSocket.goOn(.max, messageByteCountMax: Simulation.messageByteCountMax) }
        for bridge in world.webSockets.flatMap(\.bridges) { bridge.goOn(upTo: .max) }
        readAll()
        try check(&sample)
        for webSocket in world.webSockets { try checkArrival(webSocket, sample) }
        for webSocket in world.webSockets {
            if let bridge = webSocket.bridge, bridge.maySpeak, sample.bool() {
                bridge.close(SimulatedClose(code: 4000 + webSocket.number, reason: "done"), isTwice: sample.bool())
            } else if webSocket.closeHeard == nil {
                webSocket.close(SimulatedClose(code: 3000 + webSocket.number, reason: "enough"))
            }
        }
        readAll()
        try check(&sample)
    }

    /// Nothing is stuck while both ends read: what was said has arrived.
    private func checkArrival(_ webSocket: SimulatedWebSocket, _ sample: Sample) throws {
        guard webSocket.isTalking, let bridge = webSocket.bridge, bridge.isTalking else { return }
        let name = "WebSocket \(webSocket.number)"
        try sample.check(bridge.heardCount, is: webSocket.said.count, "the messages that came to the agent of \(name)")
        try sample.check(webSocket.heardCount, is: bridge.said.count, "the messages that came to the third party of \(name)")
        try sample.check(webSocket.hasAllPongs, "a ping of \(name) was not answered")
    }

    // MARK: The end

    /// An opened WebSocket has ended once on each side, with a code that has its cause.
    func judge(_ webSocket: SimulatedWebSocket, _ sample: Sample) throws {
        let name = "WebSocket \(webSocket.number)"
        if let close = webSocket.closeHeard {
            try sample.check(isExplained(close, to: webSocket), "\(name) was closed for no reason with \(close)")
        } else {
            let mayBeMute = webSocket.hasVanished || webSocket.thirdParty?.isSlow ?? true
            try sample.check(mayBeMute, "\(name) ended without a word: \(webSocket.error.map { "\($0)" } ?? "whole")")
        }
        for bridge in webSocket.bridges {
            try sample.check(bridge.closingCount, is: 1, "the ends of a bridge of \(name)")
            guard bridge.isBound else { continue }
            try judge(bridge, of: webSocket, sample)
            guard let said = bridge.closeSaid, said.reason == "done", webSocket.closeHeard == said else { continue }
            try sample.check(
                webSocket.heardCount, is: bridge.said.count, "the messages to the third party of \(name), closed in order")
        }
    }

    private func isExplained(_ close: SimulatedClose, to webSocket: SimulatedWebSocket) -> Bool {
        let bridge = webSocket.bridge
        if close == webSocket.closeSaid, !webSocket.isCloseAnswered { return true }
        if let code = webSocket.breach, code == close.code { return true }
        if let said = bridge?.closeSaid, let code = said.code {
            let isKnown = (3000...4999).contains(code)
            let told = isKnown ? code : code == 1005 ? 1000 : 1011
            if close == SimulatedClose(code: told, reason: said.reason) { return true }
        }
        let waited = (webSocket.endedAt ?? webSocket.askedAt) - webSocket.askedAt
        switch close.code {
        case 1000: return bridge?.hasSentOuterClose == true
        case 1001: return world.deletedTunnels.contains(webSocket.tunnel)
        case 1009: return wasTooMuchSaid(on: webSocket)
        // A bridge whose agent does not read is reset in time.
        case 1011: return bridge.map { $0.hasBroken || $0.isSlow } ?? false
        // The agent may not have heard that it has joined.
        case 1012: return webSocket.bridges.contains { $0.wasLost || $0.agent.isOver }
        case 4500: return world.wereWebSocketsClosed
        case 4504: return bridge == nil && waited >= .seconds(10)
        default: return false
        }
    }

    private func wasTooMuchSaid(on webSocket: SimulatedWebSocket) -> Bool {
        let envelopeMax = Simulation.wholeEnvelopeByteCountMax
        // Base64 and JSON add a third and some more.
        let isTooLarge = webSocket.said.contains { $0.payload.count * 3 / 2 + 80 > envelopeMax }
        return webSocket.bridges.contains { $0.hasSaidTooMuch || $0.agent.takesWholesOnly && isTooLarge }
    }

    private func judge(_ bridge: SimulatedBridge, of webSocket: SimulatedWebSocket, _ sample: Sample) throws {
        let name = "the bridge of WebSocket \(webSocket.number)"
        guard let close = bridge.closeHeard else {
            let hasEndedItself = bridge.closeSaid != nil || bridge.hasBroken || bridge.hasSentOuterClose
            return try sample.check(
                hasEndedItself || bridge.wasLost || bridge.isSlow,
                "\(name) ended without a word: \(bridge.error.map { "\($0)" } ?? "whole")")
        }
        try sample.check(isExplained(close, to: bridge, of: webSocket), "\(name) was closed for no reason with \(close)")
        try judgeOrder(bridge, webSocket, sample)
    }

    private func isExplained(_ close: SimulatedClose, to bridge: SimulatedBridge, of webSocket: SimulatedWebSocket) -> Bool {
        if let said = webSocket.closeSaid, close == SimulatedClose(code: said.code ?? 1000, reason: said.reason) { return true }
        if let code = webSocket.breach, code == close.code { return true }
        switch close.code {
        case 1001:
            let isGone = webSocket.hasVanished || webSocket.isGivenUp || webSocket.error != nil
            return isGone || webSocket.thirdParty?.isSlow ?? true || world.deletedTunnels.contains(webSocket.tunnel)
        case 1009: return wasTooMuchSaid(on: webSocket)
        case 4500: return world.wereWebSocketsClosed
        default: return false
        }
    }

    /// On a bridge that was closed in order nothing is lost that the third party said before, nor any pong.
    private func judgeOrder(_ bridge: SimulatedBridge, _ webSocket: SimulatedWebSocket, _ sample: Sample) throws {
        let name = "WebSocket \(webSocket.number)"
        if let said = webSocket.closeSaid, !webSocket.isCloseAnswered, webSocket.closeHeard == said,
            bridge.closeHeard == SimulatedClose(code: said.code ?? 1000, reason: said.reason)
        {
            try sample.check(
                bridge.heardCount, is: webSocket.said.count, "the messages to the agent of \(name), closed in order")
            try sample.check(webSocket.hasAllPongs, "a ping of \(name) was not answered")
        }
    }
}
