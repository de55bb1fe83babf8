internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelWire

// Third parties of a passthrough tunnel meet intakes by the same rules as requests. A bind is their whole reply.
extension TunnelSite {
    func arrived(_ session: PassthroughSession) {
        passthrough[session.number] = session
        switch pool.requestArrived(session.number, at: loop.now) {
        case .hand(let intake): hand(session, intake)
        case .queued: break
        case .refuse: session.refuse()
        }
        setTimer()
    }

    /// Offers the third party to the agent that parked the intake.
    func hand(_ session: PassthroughSession, _ number: UInt64) {
        guard let intake = intakes.removeValue(forKey: number) else { return handFailed(session) }
        let context = RequestEnvelopeContext(
            requestID: session.id, routeKind: .tcpStream, tcpID: "\(PassthroughSession.idPrefix)\(session.id)",
            sniHost: session.serverName, forwardedFor: session.peerAddress)
        var envelope = HTTPFields()
        do {
            try RequestEnvelope.encode(
                HTTPRequestHead(method: "CONNECT", target: "/", authority: session.serverName), context,
                headerListByteCountMax: intake.link.connection.peerHeaderListByteCountMax, into: &envelope)
            session.hand(to: intake.stream, envelope: envelope)
        } catch {
            abandoned(session)
            session.refuse()
            repark(intake, number)
        }
    }

    func handFailed(_ session: PassthroughSession) {
        pool.handFailed(session.number, at: loop.now, into: &actions)
        act()
    }

    /// Binds the agent's end of a third party's connection; false when there is none to bind.
    func bind(_ number: UInt64, _ stream: HTTPStream, of link: AgentLink, fields: HTTPFields) -> Bool {
        guard let session = passthrough[number], session.wasHanded, session.isWaiting else { return false }
        guard case .accept = pool.replyArrived(number, at: loop.now) else { return false }
        pool.replyFinished(number)
        let framing: TCPBridgeFraming = link.features.contains(.rawTCP) ? .raw : .frames(.server)
        return session.bind(stream, framing: framing, fields: fields)
    }

    /// Nobody needs an agent for it any more.
    func abandoned(_ session: PassthroughSession) { pool.requestAbandoned(session.number) }

    func passthroughOver(_ number: UInt64) {
        guard let session = passthrough.removeValue(forKey: number) else { return }
        session.stopWaiting()
        if session.isWaiting { abandoned(session) }
    }

    var carriedCount: Int { passthrough.count }

    func closePassthrough(_ code: WebSocketCloseCode) {
        for session in passthrough.values { session.close(code) }
    }
}
