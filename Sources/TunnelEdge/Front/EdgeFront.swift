package import HTTPTransport
package import LinuxIO
package import TLS
package import TunnelDomain
internal import TunnelService
package import TunnelWire

/// What all loops of the edge share.
package struct EdgeParts: Sendable {
    package var settings: EdgeSettings
    package var directory: TunnelDirectory
    package var registry: AgentRegistry
    package var api: any BufferedRequestHandler
    package var log: any EdgeLog
    /// nil where no HTTPS listener is.
    package var tls: TLSContext?
    package let counters = EdgeCounters()
    /// Tells the request ids of this process from those of others.
    let processNumber: UInt64

    package init(
        settings: EdgeSettings, directory: TunnelDirectory, registry: AgentRegistry, api: any BufferedRequestHandler,
        log: any EdgeLog, tls: TLSContext?
    ) {
        self.settings = settings
        self.directory = directory
        self.registry = registry
        self.api = api
        self.log = log
        self.tls = tls
        processNumber = registry.randomness.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// The edge on one loop: decides by host what a connection and a request are for, and keeps the loop's tunnels.
package final class EdgeFront {
    let parts: EdgeParts
    let loop: Loop
    private var listeners: [HTTPListener] = []
    private var listening: [(descriptor: Int32, purpose: ListenerPurpose)] = []
    private var sites: [TunnelID: TunnelSite] = [:]
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var requestIDs: RequestIDs
    private var lastAgent: UInt64 = 0
    private(set) var isDraining = false
    /// The process that takes what comes here now.
    private(set) var successor: NeighborLinks?
    /// The process whose requests may be answered here.
    var predecessor: NeighborLinks?
    /// Whether calls of the API and records of agents may use the store.
    let storeGate = StoreGate()
    /// Connections whose TLS is not ended here.
    var rawConnectionCount = 0
    let tally = EdgeTally()
    /// The request bodies that calls of the API have gathered on this loop.
    var apiBodies: BodyBudget

    /// Becomes the resident of the loop.
    package init(_ parts: EdgeParts, on loop: Loop) {
        self.parts = parts
        self.loop = loop
        apiBodies = BodyBudget(
            byteCountMax: parts.settings.apiBodiesByteCountMax, shareMax: parts.settings.apiBodiesPerAddressByteCountMax)
        requestIDs = RequestIDs(process: parts.processNumber, loop: loop.door.index)
        loop.resident = self
    }

    /// Accepts connections on the socket, which other loops may share.
    package func listen(on descriptor: Int32, for purpose: ListenerPurpose) throws(IOError) {
        listening.append((descriptor, purpose))
        try open(descriptor, for: purpose)
    }

    private func open(_ descriptor: Int32, for purpose: ListenerPurpose) throws(IOError) {
        listeners.append(
            try HTTPListener(
                descriptor: descriptor, purpose: purpose, arrivalSecondsMax: parts.settings.thirdParty.handshakeSecondsMax,
                on: loop,
                placement: self))
    }

    package static func resident(of loop: Loop) -> EdgeFront? { loop.resident as? EdgeFront }

    // MARK: Sites

    /// The tunnel's place on this loop, which is the loop that the directory names for it.
    func site(of tunnel: Tunnel) -> TunnelSite {
        if let site = sites[tunnel.id] { return site }
        let site = TunnelSite(tunnel: tunnel, settings: parts.settings, tally: tally, loop: loop)
        sites[tunnel.id] = site
        site.whenEmpty = { [unowned self, unowned site] in tidy(site) }
        if parts.directory.expectsAgent(of: tunnel.id) { site.expectAgent() }
        return site
    }

    /// The tunnel's place, when there is one.
    func site(_ id: TunnelID) -> TunnelSite? { sites[id] }

    /// Forgets a tunnel that nobody is connected to.
    func tidy(_ site: TunnelSite) {
        if site.isEmpty { sites[site.tunnel.id] = nil }
    }

    /// A connection counts for the tunnel no more.
    func letGo(of site: TunnelSite?) {
        guard let site else { return }
        site.releaseConnection()
        tidy(site)
    }

    func nextAgentNumber() -> UInt64 {
        lastAgent += 1
        return lastAgent
    }

    func nextRequest() -> (number: UInt64, id: String) {
        let number = requestIDs.next()
        return (number, requestIDs.text(number))
    }

    /// The request whose id stands in the path at this place, or nil when it cannot be one of this loop.
    func requestNumber(in target: String, at place: Range<Int>) -> UInt64? {
        requestIDs.number(target.utf8.span.extracting(place))
    }

    // MARK: Changes of the control plane

    /// Brings a tunnel of this loop in line with its record.
    package func tunnelChanged(_ tunnel: Tunnel) {
        guard let site = sites[tunnel.id] else { return }
        // Its old name leads nowhere any more; requests look the name up, but these connections asked once.
        if site.tunnel.name != tunnel.name { site.closePassthrough(.goingAway) }
        site.tunnel = tunnel
        site.generation += 1
        switch tunnel.status(at: parts.registry.clock.now) {
        case .deletePending, .deleted: site.close(.tunnelDeleted)
        case .active, .awaitingCert: site.reopen()
        }
    }

    package func keyRevoked(_ keyID: UUIDValue) {
        for site in sites.values { site.keyRevoked(keyID) }
    }

    // MARK: Draining

    /// Accepts no more connections.
    package func stopListening() {
        isDraining = true
        stopAccepting()
        listening = []
    }

    /// Leaves new connections in the kernel's queue.
    func stopAccepting() {
        for listener in listeners { listener.close() }
        listeners = []
    }

    /// Accepts again.
    func resumeAccepting() {
        guard listeners.isEmpty else { return }
        for (descriptor, purpose) in listening { try? open(descriptor, for: purpose) }
    }

    /// Accepts no more connections and lets the open ones finish what they are doing.
    ///
    /// - Parameter silenceMax: How long a silent connection is kept, whose client may be about to ask.
    package func drain(silenceMax: Duration) {
        stopListening()
        for connection in connections.values {
            guard let edge = connection.context as? EdgeConnection, edge.link == nil, !edge.isLink else { continue }
            let mayBeClosed = silenceMax == .zero && !connection.isHTTP2
            if mayBeClosed { connection.drain() } else { connection.drainPolitely(silenceMax: silenceMax) }
        }
    }

    /// Sends new work to the process that has taken over, and lets what was begun here finish.
    package func handOver(to neighbor: Neighbor, silenceMax: Duration) {
        let links = NeighborLinks(neighbor, on: loop)
        successor = links
        drain(silenceMax: silenceMax)
        storeGate.leave()
        for site in sites.values { site.handOver { [self] exchange in sendOnward(exchange, of: site) } }
    }

    /// Tells the third parties of every WebSocket that the service goes down.
    package func closeWebSockets() {
        for site in sites.values { site.closeWebSockets(.draining) }
    }

    /// TLS connections that agents end.
    package var carriedCount: Int { sites.values.reduce(0) { $0 + $1.carriedCount } }
    package var webSocketCount: Int { sites.values.reduce(0) { $0 + $1.webSocketCount } }
    package var agentCount: Int { connections.values.count { ($0.context as? EdgeConnection)?.link != nil } }

    /// True when nothing is under way any more; then the agents may be told to go.
    package var isQuiet: Bool {
        sites.values.allSatisfy { !$0.hasWork }
            && connections.values.allSatisfy { connection in
                guard let edge = connection.context as? EdgeConnection else { return true }
                // What comes over a link is counted where it came in.
                return edge.link != nil || edge.isLink || !isBusy(connection)
            }
    }

    private func isBusy(_ connection: HTTPConnection) -> Bool {
        // WebSockets can go on for ever: they are told to end, not waited for.
        let webSocketCount = (connection.context as? EdgeConnection)?.webSocketCount ?? 0
        if let connection = connection as? HTTP2Connection { return connection.openStreamCount > webSocketCount }
        return connection.channel.isOpen && webSocketCount == 0
    }

    /// Tells the agents that this process ends, and closes their connections.
    package func dismissAgents() {
        for site in sites.values { site.dismissLinks() }
    }

    package var openConnectionCount: Int { connections.count + rawConnectionCount }
    var openConnections: some Collection<HTTPConnection> { connections.values }
    var openSites: some Collection<TunnelSite> { sites.values }
}

// MARK: - New connections

extension EdgeFront: ConnectionPlacement {
    package func door(forHost host: String?) -> EventLoop? {
        guard let host, case .tunnel(let name) = HostRole(of: host, in: parts.settings.zone),
            let tunnel = parts.directory.tunnel(named: name)
        else { return nil }
        return parts.directory.door(of: tunnel.id)
    }

    package func admits(_ peer: SocketAddress) -> Bool {
        !isDraining && parts.counters.admitConnection(max: parts.settings.connectionsMax)
    }

    package func released() { parts.counters.releaseConnection() }

    package func open(_ connection: consuming NewConnection) {
        switch sight(of: connection) {
        case .decrypt: decrypt(connection)
        case .carry(let tunnel): carry(connection, of: tunnel)
        case .refuse(let alert): refuse(connection, alert)
        }
    }

    private func decrypt(_ connection: consuming NewConnection) {
        let edge = EdgeConnection(
            peerAddress: "\(connection.peer.ip)", isLoopback: connection.peer.ip.isLoopback,
            serverName: connection.purpose == .tls ? connection.host : nil, redirectsOnly: connection.purpose == .redirect,
            proxies: parts.settings.trustedProxies)
        let isZone = connection.host.map { HostRole(of: $0, in: parts.settings.zone) == .zone } ?? true
        HTTPServerChannel.open(
            connection, on: loop, tls: connection.purpose == .tls ? parts.tls : nil,
            settings: isZone ? parts.settings.zoneHTTP : parts.settings.thirdParty, handler: self, context: edge)
    }
}

// MARK: - Requests

extension EdgeFront: HTTPServerHandler {
    package func connectionOpened(_ connection: HTTPConnection) {
        connections[ObjectIdentifier(connection)] = connection
        let isLink = (connection.context as? EdgeConnection)?.isLink == true
        if isLink, let connection = connection as? HTTP2Connection { connection.isPatient = true }
        // Accepted before, and its handshake is done only now.
        if successor != nil, !isLink { connection.drainPolitely(silenceMax: parts.settings.silenceMax) }
        guard connection.isHTTP2, let edge = connection.context as? EdgeConnection, isForZone(edge) else { return }
        // Captured strongly, for the few seconds it takes: weak references would make every use of a connection slow.
        loop.schedule(after: .seconds(parts.settings.helloSecondsMax)) {
            if edge.role == .undecided { connection.drain() }
        }
    }

    private func isForZone(_ edge: EdgeConnection) -> Bool {
        edge.serverName.map { HostRole(of: $0, in: parts.settings.zone) == .zone } ?? false
    }

    package func connectionFailed(_ context: AnyObject?, error: ChannelError?) { parts.counters.releaseConnection() }

    package func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        connections[ObjectIdentifier(connection)] = nil
        parts.counters.releaseConnection()
        guard let edge = connection.context as? EdgeConnection else { return }
        if let link = edge.link { agentGone(link, error) }
        edge.link = nil
        edge.relocation = nil
        letGo(of: edge.site)
        edge.site = nil
    }

    package func answer(to refusal: MessageRefusal) -> BufferedResponse {
        let reason: Refusal =
            switch refusal.status {
            case 431: .headersTooLarge
            case 413: .requestTooLarge
            default: .invalidRequest
            }
        tally.figures.refused(reason, status: refusal.status)
        return reason.response(refusal, requestID: nextRequest().id)
    }

    /// An agent's reply that is no HTTP is the end of its request; of others nobody needs to know.
    package func headBroke(off head: HTTPRequestHead, on connection: HTTPConnection) {
        guard let edge = connection.context as? EdgeConnection, let link = edge.link else { return }
        replyBroke(off: head.target, of: link)
    }

    /// An agent took an intake back that a request had left on already.
    package func resetCameLate(forStream id: Int32, wasRefused: Bool, on connection: HTTPConnection) {
        guard let edge = connection.context as? EdgeConnection, let link = edge.link else { return }
        link.site.intakeTakenBack(stream: id, of: link, wasRefused: wasRefused)
    }

    /// Takes a connection that hello has brought to this loop.
    func adopt(_ connection: HTTPConnection) {
        connections[ObjectIdentifier(connection)] = connection
        if isDraining, let edge = connection.context as? EdgeConnection, !edge.isLink { connection.drain() }
    }

    /// Lets go of a connection that moves to another loop.
    func letGo(_ connection: HTTPConnection) { connections[ObjectIdentifier(connection)] = nil }

    package func accept(_ head: HTTPRequestHead, isEnd: Bool, on stream: HTTPStream) -> any HTTPStreamReceiver {
        guard let edge = stream.connection.context as? EdgeConnection else { return refuse(.misdirected, head, stream) }
        if edge.redirectsOnly { return redirect(head, stream) }
        // Whatever begins on a connection that is about to leave goes with it.
        if let relocation = edge.relocation { return relocation.take(head, isEnd: isEnd, on: stream) }
        if edge.isMoving { return refuse(.misdirected, head, stream) }
        if let forwarded = forward(head, isEnd: isEnd, edge, stream) { return forwarded }
        if edge.lastAuthority != head.authority || edge.isDestinationStale {
            edge.lastDestination = destination(of: head.authority, on: edge)
            edge.lastAuthority = head.authority
        }
        switch edge.lastDestination {
        case .refused(.passthroughOnly) where !stream.connection.isTLS && parts.settings.httpsPort != nil:
            return redirect(head, stream)
        case .refused(let refusal): return refuse(refusal, head, stream)
        case .zone: return acceptForZone(head, isEnd: isEnd, edge: edge, on: stream)
        case .tunnel where edge.role == .agent: return refuse(.misdirected, head, stream)
        case .tunnel(let site): return accept(head, isEnd: isEnd, for: site, edge: edge, on: stream)
        case .elsewhere where edge.role == .agent: return refuse(.misdirected, head, stream)
        case .elsewhere(let door): return relocate(to: door, head, isEnd: isEnd, edge, stream)
        }
    }

    /// What a host leads to on this connection. A tenant is chosen once per TLS connection and never left.
    private func destination(of authority: String, on edge: EdgeConnection) -> EdgeConnection.Destination {
        let host = HostText.withoutPort(authority).lowercased()
        if let serverName = edge.serverName, serverName != host { return .refused(.misdirected) }
        switch HostRole(of: host, in: parts.settings.zone) {
        case .zone: return .zone
        case .unknownName: return .refused(.noSuchTunnel)
        // By address: the API, for whoever has no name for this machine.
        case .foreign: return isAddress(host) || host.isEmpty ? .zone : .refused(.misdirected)
        case .tunnel(let name):
            guard let tunnel = parts.directory.tunnel(named: name) else { return .refused(.noSuchTunnel) }
            guard tunnel.tlsMode == .edge else {
                return .refused(tunnel.canServe(at: parts.registry.clock.now) ? .passthroughOnly : .tunnelInactive)
            }
            let door = parts.directory.door(of: tunnel.id)
            guard door === loop.door else { return .elsewhere(door) }
            return admit(edge, to: site(of: tunnel))
        }
    }

    private func isAddress(_ host: String) -> Bool {
        host.first == "[" || SocketAddress.IP(v4: host) != nil
    }

    private func admit(_ edge: EdgeConnection, to site: TunnelSite) -> EdgeConnection.Destination {
        edge.siteGeneration = site.generation
        if edge.site === site { return .tunnel(site) }
        guard site.admitConnection(max: parts.settings.connectionsPerTunnelMax) else { return .refused(.tooManyConnections) }
        letGo(of: edge.site)
        edge.site = site
        return .tunnel(site)
    }

    private func accept(
        _ head: HTTPRequestHead, isEnd: Bool, for site: TunnelSite, edge: EdgeConnection, on stream: HTTPStream
    ) -> any HTTPStreamReceiver {
        guard site.tunnel.canServe(at: parts.registry.clock.now) else { return refuse(.tunnelInactive, head, stream) }
        if head.upgradeProtocol == WebSocketHandshake.upgradeProtocol {
            return acceptWebSocket(head, for: site, edge: edge, on: stream)
        }
        guard head.method != "CONNECT", head.method != "TRACE" else { return refuse(.unsupportedMethod, head, stream) }
        let (number, id) = nextRequest()
        let exchange = Exchange(
            number: number, id: id, head: head, isEnd: isEnd, peerAddress: edge.clientAddress(head), thirdParty: stream,
            site: site,
            at: loop.now)
        stream.receiver = exchange
        // Both sides of a call speak when they have something to say.
        if let stream = stream as? HTTP2Stream, head.fields.areOfGRPCCall { stream.isConversation = true }
        site.arrived(exchange)
        return exchange
    }

    /// Sends a client of a clear-text listener to the same place with TLS; only hosts of the zone are named.
    private func redirect(_ head: HTTPRequestHead, _ stream: HTTPStream) -> any HTTPStreamReceiver {
        let host = HostText.withoutPort(head.authority).lowercased()
        switch HostRole(of: host, in: parts.settings.zone) {
        case .foreign: return refuse(.misdirected, head, stream)
        case .zone, .tunnel, .unknownName: break
        }
        let port = parts.settings.httpsPort.map { $0 == 443 ? "" : ":\($0)" } ?? ""
        var fields = HTTPFields()
        fields.append("location", "https://\(host)\(port)\(head.target)")
        stream.respond(HTTPResponseHead(status: 308, fields: fields), isEnd: true)
        return DiscardingReceiver()
    }

    func refuse(_ refusal: Refusal, _ head: HTTPRequestHead, _ stream: HTTPStream) -> any HTTPStreamReceiver {
        tally.figures.refused(refusal, status: refusal.status)
        let answer = refusal.response(requestID: nextRequest().id, to: head.fields)
        stream.respond(answer.head, body: answer.body)
        return DiscardingReceiver()
    }
}

/// Takes in what nobody wants, so that the sender is not held up.
final class DiscardingReceiver: HTTPStreamReceiver {
    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) { stream.consume(bytes.count) }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {}
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {}
}
