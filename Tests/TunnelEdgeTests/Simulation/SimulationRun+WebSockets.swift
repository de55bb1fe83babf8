import TestSupport

// What third parties and agents do with WebSockets.
extension SimulationRun {
    /// Most lives would be over before a WebSocket is open: this brings some to that point at once.
    mutating func beginWithWebSockets(_ sample: inout Sample) throws {
        for tunnel in world.tunnels.indices { try connectAgent(&sample, to: tunnel) }
        for _ in 0..<2 {
            park(&sample)
            try openWebSocket(&sample)
        }
        world.deliverAll()
        acceptAll()
        world.deliverAll()
        for _ in 0..<2 { bind(&sample) }
        if sample.bool() { world.deliverAll() }
        note(&sample, "\(world.webSockets.count { $0.bridge != nil }) WebSockets are joined")
    }

    mutating func webSocketStep(_ sample: inout Sample) throws {
        switch sample.int(in: 0...19) {
        case 0...4: speakAsThirdParty(&sample)
        case 5...9: speakAsAgent(&sample)
        case 10, 11: try? openWebSocket(&sample)
        case 12, 13: bind(&sample)
        case 14: endAsThirdParty(&sample)
        case 15: endAsAgent(&sample)
        case 16: read(&sample)
        case 17: acceptAll()
        case 18: try flood(&sample)
        default: drain(&sample)
        }
        world.settle()
    }

    private mutating func openWebSocket(_ sample: inout Sample) throws {
        let tunnel = drawTunnel(&sample)
        guard let thirdParty = try freeThirdParty(of: tunnel, &sample) else { return }
        let clock = world.clock
        let webSocket = SimulatedWebSocket(
            number: world.requests.count, tunnel: tunnel, answersClose: !sample.chance(oneIn: 5), now: { clock.instant })
        note(&sample, "request \(webSocket.number) asks for a WebSocket, HTTP/2 \(thirdParty.isHTTP2)")
        try world.ask(thirdParty, webSocket)
    }

    /// Agents accept all WebSockets that were offered to them.
    private mutating func acceptAll() {
        for agent in world.agents where agent.isServing {
            for job in agent.jobs where job.isUpgrade {
                let reply = SimulatedReply(number: job.number, bodyByteCount: 0, isInvalid: false, status: 200)
                agent.reply(to: job, reply)
                guard reply.stream != nil else { continue }
                replies.append(reply)
                acceptances.append(job)
                agent.jobs.removeAll { $0 === job }
            }
        }
    }

    private mutating func bind(_ sample: inout Sample) {
        guard !acceptances.isEmpty else { return }
        let job = sample.element(of: acceptances)
        let serving = world.agents.filter(\.isServing)
        guard let webSocket = world.requests[job.number] as? SimulatedWebSocket, !serving.isEmpty else { return }
        // Nearly always by the agent that has accepted; others may try, even those of another tunnel.
        let agent = sample.chance(oneIn: 8) ? sample.element(of: serving) : job.agent
        guard agent.isServing else { return }
        if !sample.chance(oneIn: 8) { acceptances.removeAll { $0 === job } }
        agent.bind(webSocket, job)
        note(&sample, "agent \(agent.number) joins WebSocket \(webSocket.number)")
    }

    // MARK: Speaking

    private static let sizes = [5, 0, 300, 1_200, 1_200, 1_900, 5_000, 5_001]

    private func drawSize(_ sample: inout Sample, isForWholes: Bool) -> Int {
        let size = sample.element(of: Self.sizes)
        // Nearly every message can arrive.
        return (size > Simulation.messageByteCountMax || isForWholes && size > 1_200) && !sample.chance(oneIn: 8) ? 40 : size
    }

    private func speakAsThirdParty(_ sample: inout Sample) {
        let speakers = world.webSockets.filter(\.maySpeak)
        guard !speakers.isEmpty else { return }
        let webSocket = sample.element(of: speakers)
        if webSocket.isMidMessage {
            if sample.chance(oneIn: 3) { webSocket.ping() }
            webSocket.goOn(sample.int(in: 1...3), messageByteCountMax: Simulation.messageByteCountMax)
            return note(&sample, "WebSocket \(webSocket.number) goes on with its message")
        }
        if sample.chance(oneIn: 6) {
            webSocket.ping()
            return note(&sample, "WebSocket \(webSocket.number) pings")
        }
        let size = drawSize(&sample, isForWholes: webSocket.bridge?.agent.takesWholesOnly ?? true)
        let pieceCount = sample.chance(oneIn: 3) ? sample.int(in: 2...4) : 1
        webSocket.say(isText: sample.bool(), byteCount: size, pieceCount: pieceCount)
        webSocket.goOn(sample.chance(oneIn: 4) ? 1 : .max, messageByteCountMax: Simulation.messageByteCountMax)
        note(&sample, "WebSocket \(webSocket.number) says \(size) bytes in \(pieceCount) pieces")
    }

    private func speakAsAgent(_ sample: inout Sample) {
        let bridges = world.webSockets.flatMap(\.bridges).filter(\.maySpeak)
        guard !bridges.isEmpty else { return }
        let bridge = sample.element(of: bridges)
        let byteCount = sample.element(of: [Int.max, 1, 100, 3_000])
        if bridge.hasMore {
            bridge.goOn(upTo: byteCount)
            return note(&sample, "the agent of WebSocket \(bridge.socket.number) goes on")
        }
        if sample.chance(oneIn: 8) {
            bridge.ping()
            return note(&sample, "the agent of WebSocket \(bridge.socket.number) pings")
        }
        var messages: [(isText: Bool, byteCount: Int)] = []
        for _ in 0..<sample.int(in: 1...3) {
            messages.append((sample.bool(), drawSize(&sample, isForWholes: false)))
        }
        bridge.say(messages, frameCount: sample.int(in: 1...3), messageByteCountMax: Simulation.messageByteCountMax)
        bridge.goOn(upTo: byteCount)
        note(&sample, "the agent of WebSocket \(bridge.socket.number) says \(messages.map(\.byteCount)) bytes")
    }

    /// One side says much more than windows and backlogs hold.
    private func flood(_ sample: inout Sample) throws {
        guard sample.chance(oneIn: 6) else { return }
        let speakers = world.webSockets.filter { $0.isTalking && !$0.isMidMessage && $0.bridge?.isTalking == true }
        guard !speakers.isEmpty else { return }
        let webSocket = sample.element(of: speakers)
        let isAgent = sample.bool()
        let size = webSocket.bridge?.agent.takesWholesOnly == true && !isAgent ? 1_200 : Simulation.messageByteCountMax
        for _ in 0..<90_000 / size {
            if isAgent {
                webSocket.bridge?.goOn(upTo: .max)
                webSocket.bridge?.say([(true, size)], frameCount: 1, messageByteCountMax: size)
                webSocket.bridge?.goOn(upTo: .max)
            } else {
                webSocket.say(isText: false, byteCount: size, pieceCount: 1)
                webSocket.goOn(1, messageByteCountMax: size)
            }
        }
        note(&sample, "much is said on WebSocket \(webSocket.number), by the agent \(isAgent)")
        world.deliverAll()
        // An agent that takes wholes only gets none that does not fit: a part would hold its window for ever.
        guard let bridge = webSocket.bridge, bridge.isTalking, !bridge.agent.isFrozen else { return }
        try sample.check(!bridge.agent.takesWholesOnly || !bridge.hasPart, "an envelope was begun that has no room")
    }

    private func read(_ sample: inout Sample) {
        for webSocket in world.webSockets where sample.bool() { webSocket.take() }
        for bridge in world.webSockets.flatMap(\.bridges) where sample.bool() { bridge.take() }
        note(&sample, "some WebSockets are read")
    }

    // MARK: Ending

    private func endAsThirdParty(_ sample: inout Sample) {
        let speakers = world.webSockets.filter(\.maySpeak)
        guard !speakers.isEmpty else { return }
        end(sample.element(of: speakers), &sample)
    }

    func end(_ webSocket: SimulatedWebSocket, _ sample: inout Sample) {
        let way = sample.int(in: 0...9)
        switch way {
        case 0...4: webSocket.close(SimulatedClose(code: 3000 + webSocket.number, reason: "enough"))
        case 5: webSocket.close(SimulatedClose(code: nil))
        case 6, 7: webSocket.vanish()
        default: webSocket.breakRules(sample.int(in: 0...4))
        }
        note(&sample, "WebSocket \(webSocket.number) ends: \(way)")
    }

    private func endAsAgent(_ sample: inout Sample) {
        let bridges = world.webSockets.flatMap(\.bridges).filter(\.maySpeak)
        guard !bridges.isEmpty else { return }
        end(sample.element(of: bridges), &sample)
    }

    func end(_ bridge: SimulatedBridge, _ sample: inout Sample) {
        let way = sample.int(in: 0...10)
        let isTwice = sample.bool()
        switch way {
        case 0...4: bridge.close(SimulatedClose(code: 4000 + bridge.socket.number, reason: "done"), isTwice: isTwice)
        case 5: bridge.close(SimulatedClose(code: 1005), isTwice: isTwice)
        case 6: bridge.close(SimulatedClose(code: 70_000), isTwice: isTwice)
        default: bridge.breakOff(way - 7)
        }
        note(&sample, "the agent of WebSocket \(bridge.socket.number) ends: \(way)")
    }

    private func drain(_ sample: inout Sample) {
        guard world.isDraining || sample.chance(oneIn: 6) else { return }
        world.drain()
        note(&sample, "the service drains")
    }
}
