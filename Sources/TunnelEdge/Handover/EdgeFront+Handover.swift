internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelWire

// What goes to the other process of a hand-over, and what comes from it.
extension EdgeFront {
    // MARK: To the successor

    /// Sends a request to the process that has taken over; nil when it is for this one.
    func forward(
        _ head: HTTPRequestHead, isEnd: Bool, _ edge: EdgeConnection, _ stream: HTTPStream
    ) -> (any HTTPStreamReceiver)? {
        guard successor != nil, !edge.isLink, edge.role != .agent else { return nil }
        let host = HostText.withoutPort(head.authority).lowercased()
        if let serverName = edge.serverName, serverName != host { return nil }
        switch HostRole(of: host, in: parts.settings.zone) {
        case .tunnel, .unknownName: break
        case .zone, .foreign: if head.target.hasPrefix("/_system/") { return nil }
        }
        let isUpgrade = head.upgradeProtocol != nil
        var key: String?
        if isUpgrade {
            guard let found = try? WebSocketHandshake.key(of: head) else { return nil }
            key = found
            edge.webSocketCount += 1
        }
        let exchange = ForwardedExchange(
            edge.peer(of: head, isTLS: stream.connection.isTLS).head(head),
            EarlyRequest(stream: stream, hasEnded: isEnd && !isUpgrade), requestID: nextRequest().id, webSocketKey: key
        ) {
            if isUpgrade { edge.webSocketCount -= 1 }
        }
        stream.receiver = exchange
        successor?.carry(exchange, by: .requests(host: host.isEmpty ? parts.settings.zone.text : host))
        return exchange
    }

    /// Sends a request of a third party on that no agent here was given.
    func sendOnward(_ exchange: Exchange, of site: TunnelSite) {
        let peer = LinkedPeer(address: exchange.peerAddress, isTLS: true, isLoopback: false)
        let webSocket = exchange.webSocket
        var head = exchange.head
        if let webSocket {
            head.upgradeProtocol = WebSocketHandshake.upgradeProtocol
            webSocket.edge.webSocketCount += 1
        }
        guard var request = exchange.letGo() else { return }
        if webSocket != nil { request.hasEnded = false }
        let forwarded = ForwardedExchange(
            peer.head(head), request, requestID: exchange.id, webSocketKey: webSocket?.key
        ) {
            webSocket?.edge.webSocketCount -= 1
        }
        request.stream.receiver = forwarded
        successor?.carry(forwarded, by: .requests(host: HostText.withoutPort(head.authority).lowercased()))
    }

    /// Sends a call of the API on whose body has come.
    func sendOnward(_ head: HTTPRequestHead, _ body: [UInt8], _ peer: Peer, _ stream: HTTPStream) {
        let linked = LinkedPeer(address: peer.address, isTLS: peer.isTLS, isLoopback: peer.isLoopback)
        let forwarded = ForwardedExchange(
            linked.head(head), EarlyRequest(stream: stream, body: body, hasEnded: true), requestID: nextRequest().id)
        stream.receiver = forwarded
        successor?.carry(forwarded, by: .requests(host: parts.settings.zone.text))
    }

    /// Tells the successor that a tunnel's last agent has left.
    func tellSuccessor(agentLeft id: TunnelID) { _ = successor?.neighbor.send(.left(id), []) }

    // MARK: To the predecessor

    /// Sends what an agent has for a request of the process before this one; nil when the id is none of such a request.
    func forwardToPredecessor(
        _ head: HTTPRequestHead, id: Range<Int>, isEnd: Bool, _ stream: HTTPStream
    ) -> (any HTTPStreamReceiver)? {
        guard let predecessor, let loop = RequestIDs.loop(of: head.target.utf8.span.extracting(id)) else { return nil }
        let exchange = ForwardedExchange(
            head, EarlyRequest(stream: stream, hasEnded: isEnd), requestID: nextRequest().id)
        stream.receiver = exchange
        predecessor.carry(exchange, by: .replies(loop: loop))
        return exchange
    }

    // MARK: Links

    /// Takes a connection of the neighbor's.
    func open(link descriptor: consuming FileDescriptor) {
        _ = parts.counters.admitConnection(max: .max)
        let edge = EdgeConnection(
            peerAddress: "127.0.0.1", isLoopback: true, serverName: nil, redirectsOnly: false,
            proxies: parts.settings.trustedProxies, isLink: true)
        var settings = HTTPServerSettings()
        settings.http2 = NeighborLink.settings
        let connection = NewConnection(
            descriptor: descriptor, peer: .loopback(port: 0), purpose: .clearText, host: nil, isHTTP2Preface: true)
        HTTPServerChannel.open(connection, on: loop, tls: nil, settings: settings, handler: self, context: edge)
    }

    // MARK: Waiting for agents

    /// Gives up waiting for a tunnel's agent; false when it has come.
    func expectNoAgent(of id: TunnelID) -> Bool {
        guard parts.directory.expectNoAgent(of: id) else { return false }
        if let site = site(id) {
            site.expectNoAgent()
            tidy(site)
        }
        return true
    }
}
