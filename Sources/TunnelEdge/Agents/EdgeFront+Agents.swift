internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

// The agent's side of the wire: `/_system` on the zone's host (data plane, sections 2 to 4).
extension EdgeFront {
    func acceptForAgent(
        _ head: HTTPRequestHead, isEnd: Bool, edge: EdgeConnection, on stream: HTTPStream
    ) -> any HTTPStreamReceiver {
        guard let connection = stream.connection as? HTTP2Connection else {
            return answer(stream, 400, "bad-request", "Agents speak HTTP/2; connect with TLS and ALPN h2.")
        }
        let path = AgentPath(head.target)
        if case .webSocket(let place) = path { return bind(place, head, edge, stream) }
        if case .tcpStream(let place) = path { return bind(tcpIDAt: place, head, edge, stream) }
        guard head.method == "POST" else { return answer(stream, 405, "method-not-allowed", "Use POST.") }
        switch path {
        case .hello: return hello(head, edge, connection, stream)
        case .intake: return intake(head, edge, stream)
        case .leave: return leave(head, edge, stream)
        case .response(let place): return response(place, head, isEnd: isEnd, edge, stream)
        case .webSocket, .tcpStream, nil: return answer(stream, 404, "not-found", "There is nothing at this path.")
        }
    }

    // MARK: hello

    private func hello(
        _ head: HTTPRequestHead, _ edge: EdgeConnection, _ connection: HTTP2Connection, _ stream: HTTPStream
    ) -> any HTTPStreamReceiver {
        guard let id = head.fields.first(.xTunnelId), let credential = head.credential else {
            tally.figures.helloAnswered(.malformed)
            return answer(stream, 401, "unauthorized", "A hello needs x-tunnel-id and x-tunnel-secret or x-api-key.")
        }
        guard !isDraining, !edge.isLink else {
            draining(stream)
            return DiscardingReceiver()
        }
        guard edge.role == .undecided, edge.site == nil, connection.openStreamCount == 1 else {
            tally.figures.helloAnswered(.malformed)
            return answer(stream, 400, "bad-request", "A connection says hello once, and before anything else; open a new one.")
        }
        edge.role = .agent
        let request = HelloRequest(
            credential: credential,
            poolSize: head.fields.first(.xPoolSize).flatMap { Int($0) } ?? parts.settings.poolSizeDefault,
            features: head.features, address: edge.clientAddress(head), tunnelID: id)
        judge(request, PendingHello(stream: stream, connection: connection, edge: edge))
        return DiscardingReceiver()
    }

    private func judge(_ request: HelloRequest, _ pending: PendingHello) {
        storeGate.pass { [self] isHere in
            guard isHere else { return draining(pending.stream) }
            askStore(request, pending)
        }
    }

    private func draining(_ stream: HTTPStream) {
        tally.figures.helloAnswered(.draining)
        _ = answer(stream, 503, "draining", "This process is ending; try again.")
    }

    private func askStore(_ request: HelloRequest, _ pending: PendingHello) {
        storeGate.enter()
        var request = request
        // Taken before the store is asked: a key that ends meanwhile shows by a larger number.
        request.keyEndingCount = parts.directory.keyEndingCount
        let bound = LoopBound(pending, on: loop)
        let registry = parts.registry
        let log = parts.log
        let door = loop.door
        Task { [request] in
            let decision = await Result { () async throws -> HelloDecision in
                try await registry.authorize(
                    tunnelID: request.tunnelID, credential: request.credential, from: request.address)
            }
            // On record before anybody can see it. A store that fails keeps no agent out.
            if case .success(.accept(let tunnel, _)) = decision {
                await registry.noteConnected(tunnel.id, request.address, log)
            }
            door.execute { loop in EdgeFront.resident(of: loop)?.judged(decision, request, bound.value(on: loop)) }
        }
    }

    private func judged(_ decision: Result<HelloDecision, any Error>, _ request: HelloRequest, _ pending: PendingHello) {
        defer { storeGate.exit() }
        switch decision {
        case .failure: unavailable(pending)
        case .success(.refuseCredential):
            tally.figures.helloAnswered(.refusedCredential)
            parts.log.note("agent.refused", [("status", "401"), ("ip", request.address)])
            _ = answer(pending.stream, 401, "unauthorized", "The tunnel id or its credential is wrong.")
        case .success(.refuseTunnel):
            tally.figures.helloAnswered(.refusedTunnel)
            parts.log.note("agent.refused", [("status", "403"), ("ip", request.address)])
            _ = answer(
                pending.stream, 403, "forbidden", "This credential may not serve the tunnel, or the tunnel is not active.")
        case .success(.refuseScope(let scope)):
            refuseKey(
                "insufficient-scope",
                "This API key lacks the scope \(scope), or tunnel:{name}:connect, so it connects no agent.", request, pending)
        case .success(.refuseAddress):
            refuseKey(
                "address-not-allowed",
                "This API key may not be used from \(request.address); use it from the addresses that it was made for.",
                request, pending)
        case .success(.accept(let tunnel, let identity)):
            let door = parts.directory.door(of: tunnel.id)
            guard door !== loop.door else { return welcome(tunnel, identity, request, pending) }
            move(pending, to: door) { front, pending in front.welcome(tunnel, identity, request, pending) }
        }
    }

    private func refuseKey(_ reason: String, _ text: String, _ request: HelloRequest, _ pending: PendingHello) {
        tally.figures.helloAnswered(.refusedKey)
        parts.log.note("agent.refused", [("status", "403"), ("reason", reason), ("ip", request.address)])
        _ = answer(pending.stream, 403, reason, text)
    }

    private func unavailable(_ pending: PendingHello) {
        tally.figures.helloAnswered(.storeUnavailable)
        _ = answer(pending.stream, 503, "store-unavailable", "The service cannot read its store at present; try again.")
    }

    /// Takes the agent's connection to its tunnel's loop, so that traffic crosses no thread.
    private func move(
        _ pending: PendingHello, to door: EventLoop, then: @escaping (EdgeFront, PendingHello) -> Void
    ) {
        guard !pending.connection.channel.isClosed else { return }
        pending.edge.isMoving = true
        pending.connection.move(to: door) { loop in
            guard let front = EdgeFront.resident(of: loop) else {
                preconditionFailure("every door of the directory has a front")
            }
            pending.edge.isMoving = false
            front.adopt(pending.connection)
            then(front, pending)
            return front
        } leave: { [self] in
            letGo(pending.connection)
        }
    }

    private func welcome(
        _ tunnel: Tunnel, _ identity: CredentialIdentity, _ request: HelloRequest, _ pending: PendingHello
    ) {
        guard !pending.connection.channel.isClosed else { return }
        // As it is now: it may have been deleted while the hello was judged.
        guard let tunnel = parts.directory.tunnel(tunnel.id), tunnel.helloAllowed(at: parts.registry.clock.now) else {
            tally.figures.helloAnswered(.refusedTunnel)
            _ = answer(pending.stream, 403, "forbidden", "The tunnel is not active.")
            return
        }
        // The end of a key reaches connections that are here, and this one was not yet.
        if identity.keyID != nil, request.keyEndingCount != parts.directory.keyEndingCount { return judge(request, pending) }
        let site = site(of: tunnel)
        let link = AgentLink(
            number: nextAgentNumber(), site: site, connection: pending.connection,
            credential: request.credential, keyID: identity.keyID, ownerToken: newOwnerToken(),
            poolSize: min(max(request.poolSize, 1), parts.settings.pool.poolSizeMax),
            features: request.features, address: request.address)
        var superseded = site.servingAddresses
        switch site.connect(link) {
        case .serve: break
        case .join: superseded = []
        case .refuseTooManySharing:
            _ = answer(
                pending.stream, 503, "too-many-agents", "As many agents share this tunnel as may; stop one of them.",
                retryAfterSeconds: EdgeFront.sharingRetrySeconds)
            return
        case .refuseTooManyTakeovers(let retryAfter, let isFirst):
            tally.figures.helloAnswered(.supersededTooOften)
            parts.log.note("tunnel.superseded.refused", [("tunnel", tunnel.id.text), ("ip", request.address)])
            if isFirst { putOnRecord(takeoverOf: tunnel.id, by: request.address) }
            _ = answer(
                pending.stream, 503, "superseded-too-often", "Two agents take this tunnel from each other; stop one of them.",
                retryAfterSeconds: Int(retryAfter.components.seconds) + 1)
            return
        case .refuseClosed:
            tally.figures.helloAnswered(.refusedTunnel)
            _ = answer(pending.stream, 403, "forbidden", "The tunnel is not active.")
            return
        }
        pending.edge.link = link
        pending.connection.isPatient = true
        tally.figures.helloAnswered(.accepted)
        agentCame(link, tunnel, superseded)
        pending.stream.respond(HTTPResponseHead(status: 200, fields: .json), body: Array(helloAnswer(link).utf8))
    }

    /// Thirty-two hexadecimal digits that nobody can guess.
    private func newOwnerToken() -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return parts.registry.randomness.bytes(16).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    private static let sharingRetrySeconds = 30

    private func helloAnswer(_ link: AgentLink) -> String {
        let features = link.features.map { "\"\($0.rawValue)\"" }.sorted().joined(separator: ",")
        let pool = parts.settings.pool
        let beside = link.features.contains(.shared) ? #""serving_agents":\#(link.site.servingAgentCount),"# : ""
        return #"{"owner_token":"\#(String(decoding: link.ownerToken, as: UTF8.self))","default_pool_size":\#(link.poolSize),"#
            + #""intake_idle_seconds":\#(pool.intakeIdle.components.seconds),"#
            + #""response_deadline_seconds":\#(pool.responseDeadline.components.seconds),\#(beside)"features":[\#(features)]}"#
    }

    private func agentCame(_ link: AgentLink, _ tunnel: Tunnel, _ supersededAddresses: [String]) {
        parts.directory.agentJoined(tunnel.id)
        parts.log.note("tunnel.connected", [("tunnel", tunnel.id.text), ("name", tunnel.name.text), ("ip", link.address)])
        let (registry, log, address) = (parts.registry, parts.log, link.address)
        storeGate.pass { [self] isHere in
            guard isHere else { return }
            link.announcement = storeTask {
                await registry.noteServing(tunnel.id, address, supersededAddresses: supersededAddresses, log)
            }
        }
    }

    private func putOnRecord(takeoverOf id: TunnelID, by address: String) {
        let (registry, log) = (parts.registry, parts.log)
        storeGate.pass { [self] isHere in
            guard isHere else { return }
            _ = storeTask { await registry.noteTakeoverRefused(id, address, log) }
        }
    }

    func agentGone(_ link: AgentLink, _ error: ChannelError?) {
        link.site.linkLost(link)
        tidy(link.site)
        let id = link.tunnelID
        parts.log.note("tunnel.disconnected", [("tunnel", id.text), ("why", error.map { "\($0)" } ?? "closed")])
        let directory = parts.directory
        guard directory.agentCount(of: id) == 1 else { return directory.agentLeft(id) }
        let registry = parts.registry
        let log = parts.log
        storeGate.pass { [self] isHere in
            guard isHere else {
                directory.agentLeft(id)
                return tellSuccessor(agentLeft: id)
            }
            let announcement = link.announcement
            _ = storeTask {
                await announcement?.value
                await registry.noteDisconnected(id, log)
                directory.agentLeft(id)
            }
        }
    }

    /// Runs work that the store gate has let through.
    private func storeTask(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        storeGate.enter()
        let door = loop.door
        return Task {
            await work()
            door.execute { EdgeFront.resident(of: $0)?.storeGate.exit() }
        }
    }

    // MARK: intake

    private func intake(_ head: HTTPRequestHead, _ edge: EdgeConnection, _ stream: HTTPStream) -> any HTTPStreamReceiver {
        guard let link = edge.link, link.isNamed(by: head.fields), link.acceptsOwnerToken(of: head.fields) else {
            return answer(stream, 401, "unauthorized", "The owner token is not valid on this connection; say hello again.")
        }
        let site = link.site
        let isParked = site.park(stream, of: link) { number in IntakeReceiver(number: number, site: site) }
        if !isParked { link.connection.closeAfterFlush() }
        return stream.receiver ?? DiscardingReceiver()
    }

    // MARK: leave

    /// The agent takes no more: what it was given it may still answer, and its parked intakes end.
    private func leave(_ head: HTTPRequestHead, _ edge: EdgeConnection, _ stream: HTTPStream) -> any HTTPStreamReceiver {
        guard let link = edge.link, link.isNamed(by: head.fields), link.acceptsOwnerToken(of: head.fields) else {
            return answer(stream, 401, "unauthorized", "The owner token is not valid on this connection; say hello again.")
        }
        link.site.leave(link)
        let document = #"{"serving_agents":\#(link.site.servingAgentCount)}"#
        stream.respond(HTTPResponseHead(status: 200, fields: .json), body: Array(document.utf8))
        return DiscardingReceiver()
    }

    // MARK: response

    private func response(
        _ place: Range<Int>, _ head: HTTPRequestHead, isEnd: Bool, _ edge: EdgeConnection, _ stream: HTTPStream
    ) -> any HTTPStreamReceiver {
        let namedSite = edge.isLink ? linkedSite(head) : checkedSite(head, edge)
        guard edge.isLink || namedSite != nil else {
            return answer(stream, 401, "unauthorized", "The credential is not the one that this connection said hello with.")
        }
        guard let number = requestNumber(in: head.target, at: place) else {
            return forwardToPredecessor(head, id: place, isEnd: isEnd, stream)
                ?? answer(stream, 404, "no-such-request", "There is no such request.")
        }
        guard let site = namedSite else {
            return answer(stream, 404, "no-such-request", "There is no such request of this tunnel.")
        }
        switch site.replyArrived(number) {
        case .refuse(404): return answer(stream, 404, "no-such-request", "There is no such request of this tunnel.")
        case .refuse(409): return answer(stream, 409, "already-answered", "This request has its reply already.")
        case .refuse: return answer(stream, 410, "gone", "The third party is gone or the deadline has passed.")
        case .take(let exchange):
            do {
                let envelope = try ReplyEnvelope(decoding: head.fields, isHeadRequest: exchange.head.method == "HEAD")
                stream.receiver = exchange
                exchange.answer(envelope, on: stream, isEnd: isEnd)
                return exchange
            } catch {
                site.replyInvalid(exchange)
                return answer(stream, 400, "invalid-reply", error.explanation)
            }
        }
    }

    /// The tunnel of the connection, when the request shows what the connection's hello showed.
    private func checkedSite(_ head: HTTPRequestHead, _ edge: EdgeConnection) -> TunnelSite? {
        guard let link = edge.link, link.isNamed(by: head.fields), link.acceptsCredential(of: head.fields) else { return nil }
        return link.site
    }

    /// The tunnel that a request names which the neighbor has checked.
    private func linkedSite(_ head: HTTPRequestHead) -> TunnelSite? {
        head.fields.first(.xTunnelId).flatMap { TunnelID($0) }.flatMap { site($0) }
    }

    /// The agent sent a reply whose head no server takes: the third party is told at once, and not when its time is up.
    func replyBroke(off target: String, of link: AgentLink) {
        guard case .response(let place) = AgentPath(target), let number = requestNumber(in: target, at: place) else { return }
        if case .take(let exchange) = link.site.replyArrived(number) { link.site.replyInvalid(exchange) }
    }

    // MARK: WebSockets

    private func bind(
        _ place: Range<Int>, _ head: HTTPRequestHead, _ edge: EdgeConnection, _ stream: HTTPStream
    ) -> any HTTPStreamReceiver {
        let id = head.target.utf8.span.text(at: place)
        guard head.method == "CONNECT", head.upgradeProtocol == "inkbox-tunnel-ws" else {
            return answer(stream, 405, "method-not-allowed", "Use CONNECT with :protocol inkbox-tunnel-ws.")
        }
        let namedSite = edge.isLink ? linkedSite(head) : checkedSite(head, edge)
        guard edge.isLink || namedSite != nil else {
            return answer(stream, 401, "unauthorized", "The credential is not the one that this connection said hello with.")
        }
        // Only an agent of ours joins on another connection than it has accepted on.
        let takesBridgesAsTheyCome = edge.isLink || edge.link?.features.contains(.streamBridges) == true
        if takesBridgesAsTheyCome, namedSite?.webSocket(id) == nil, let idPlace = WebSocketOffer.requestID(in: place),
            requestNumber(in: head.target, at: idPlace) == nil,
            let forwarded = forwardToPredecessor(head, id: idPlace, isEnd: false, stream)
        {
            return forwarded
        }
        guard let session = namedSite?.webSocket(id), session.bind(stream, takesWholesOnly: !takesBridgesAsTheyCome)
        else { return answer(stream, 404, "no-such-websocket", "There is no such WebSocket of this tunnel to bind.") }
        return stream.receiver ?? DiscardingReceiver()
    }

    // MARK: Answers

    func answer(
        _ stream: HTTPStream, _ status: Int, _ code: String, _ detail: String, retryAfterSeconds: Int? = nil
    ) -> any HTTPStreamReceiver {
        let body = ProblemDetails(
            type: "urn:culvert:problem:\(code)", title: code, status: status, detail: detail,
            extensions: [.init("code", .string(code))]
        ).json()
        var fields = HTTPFields()
        fields.append("content-type", ProblemDetails.contentType)
        if let retryAfterSeconds { fields.append("retry-after", String(retryAfterSeconds)) }
        stream.respond(HTTPResponseHead(status: status, fields: fields), body: body)
        return DiscardingReceiver()
    }
}

/// A parked intake before it carries a request: waits, and tells when its stream ends.
private final class IntakeReceiver: HTTPStreamReceiver {
    private let number: UInt64
    private let site: TunnelSite

    init(number: UInt64, site: TunnelSite) {
        self.number = number
        self.site = site
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) { stream.consume(bytes.count) }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {}
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) { site.intakeLost(number) }
}

private struct HelloRequest: Sendable {
    var credential: AgentCredential
    var poolSize: Int
    var features: Set<AgentLink.Feature>
    var address: String
    /// As it came.
    var tunnelID: String
    var keyEndingCount = 0
}

/// A hello between its arrival and its answer.
private struct PendingHello {
    var stream: HTTPStream
    var connection: HTTP2Connection
    var edge: EdgeConnection
}

extension HTTPRequestHead {
    fileprivate var credential: AgentCredential? {
        if let secret = fields.first(.xTunnelSecret) { return .connectSecret(secret) }
        return fields.first(.xApiKey).map { .apiKey($0) }
    }

    fileprivate var features: Set<AgentLink.Feature> {
        let named = fields.first(.xCulvertFeatures)?.split(separator: ",") ?? []
        return Set(named.compactMap { AgentLink.Feature(rawValue: $0.filter { $0 != " " }) })
    }
}

extension CredentialIdentity {
    fileprivate var keyID: UUIDValue? {
        switch kind {
        case .connectSecret: nil
        case .apiKey(let id): id
        }
    }
}

extension HTTPFields {
    static var json: HTTPFields {
        var fields = HTTPFields()
        fields.append("content-type", "application/json")
        return fields
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
