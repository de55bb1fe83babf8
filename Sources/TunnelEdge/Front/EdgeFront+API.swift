internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
internal import TunnelWire

// The zone's own host: the agents' side under /_system, the REST API everywhere else.
extension EdgeFront {
    func acceptForZone(
        _ head: HTTPRequestHead, isEnd: Bool, edge: EdgeConnection, on stream: HTTPStream
    ) -> any HTTPStreamReceiver {
        if head.target.hasPrefix("/_system/") { return acceptForAgent(head, isEnd: isEnd, edge: edge, on: stream) }
        guard edge.role != .agent else { return refuse(.misdirected, head, stream) }
        edge.role = .api
        if head.target == "/.well-known/culvert" { return describe(stream) }
        let linked = edge.peer(of: head, isTLS: stream.connection.isTLS)
        let peer = Peer(address: linked.address, isTLS: linked.isTLS, isLoopback: linked.isLoopback)
        let call = APICall(head: head, peer: peer, requestID: nextRequest().id, front: self)
        if let length = head.fields.first(.contentLength).flatMap({ Int($0) }), length > parts.settings.apiBodyByteCountMax {
            call.refuseBody(stream)
        } else if !isEnd, head.fields.contains(.expect) {
            stream.sendInterim(HTTPResponseHead(status: 100))
        }
        return call
    }
}

extension EdgeFront {
    /// Tells a client where the service's listeners are, so that one address is enough to configure it.
    fileprivate func describe(_ stream: HTTPStream) -> any HTTPStreamReceiver {
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("zone")
        writer.string(parts.settings.zone.text)
        for (name, port) in [("https_port", parts.settings.httpsPort), ("http_port", parts.settings.httpPort)] {
            writer.name(name)
            if let port { writer.integer(Int(port)) } else { writer.null() }
        }
        writer.endObject()
        stream.respond(HTTPResponseHead(status: 200, fields: .json), body: writer.bytes)
        return DiscardingReceiver()
    }
}

/// One call of the REST API: the body is gathered here, the answer is made elsewhere.
private final class APICall: HTTPStreamReceiver {
    private let head: HTTPRequestHead
    private let peer: Peer
    private let requestID: String
    private let front: EdgeFront
    private let sender: AddressGroup
    private var body: [UInt8] = []
    private var isBodyTooLarge = false
    private var timer: TimerID?
    private var isOver = false
    private var isClosed = false
    /// The rest of the answer, while it goes on.
    private var source: (any ResponseBodySource)?
    private var isAwaitingPart = false

    init(head: HTTPRequestHead, peer: Peer, requestID: String, front: EdgeFront) {
        self.head = head
        self.peer = peer
        self.requestID = requestID
        self.front = front
        sender = AddressGroup(peer.address)
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        stream.consume(bytes.count)
        guard !isOver else { return }
        guard front.apiBodies.take(bytes.count, from: sender) else {
            stream.receiver = front.refuse(.agentBusy, head, stream)
            return end()
        }
        if timer == nil {
            timer = front.loop.schedule(after: .seconds(front.parts.settings.apiBodySecondsMax)) { stream.reset(.cancel) }
        }
        bytes.withUnsafeBufferPointer { body.append(contentsOf: $0) }
        if body.count > front.parts.settings.apiBodyByteCountMax { refuseBody(stream) }
    }

    /// Lets the API say in its own words that the body is too large; the rest of it is not waited for.
    func refuseBody(_ stream: HTTPStream) {
        letGoOfBody()
        isBodyTooLarge = true
        begin(stream)
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) { if !isOver { begin(stream) } }
    func streamSent(byteCount: Int, on stream: HTTPStream) { if stream.unsentByteCount == 0 { askForPart(stream) } }

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        isClosed = true
        source?.cancel()
        source = nil
        end()
    }

    private func end() {
        isOver = true
        if let timer { front.loop.cancel(timer) }
        timer = nil
        letGoOfBody()
    }

    private func letGoOfBody() {
        front.apiBodies.release(body.count, of: sender)
        body = []
    }

    private func begin(_ stream: HTTPStream) {
        let body = body
        end()
        front.storeGate.pass { [self] isHere in
            guard !isClosed else { return }
            if isHere { run(body, stream) } else { front.sendOnward(head, body, peer, stream) }
        }
    }

    private func run(_ body: [UInt8], _ stream: HTTPStream) {
        front.storeGate.enter()
        let request = BufferedRequest(
            head: head, body: body, isBodyTooLarge: isBodyTooLarge, peer: peer, requestID: requestID)
        let api = front.parts.api
        let door = front.loop.door
        let bound = LoopBound((call: self, stream: stream), on: front.loop)
        Task {
            let response = await api.respond(to: request)
            door.execute { loop in
                let (call, stream) = bound.value(on: loop)
                call.answer(response, on: stream)
            }
        }
    }

    private func answer(_ response: BufferedResponse, on stream: HTTPStream) {
        front.storeGate.exit()
        var head = response.head
        guard let source = response.rest else {
            if !response.body.isEmpty { head.fields.append("content-length", String(response.body.count)) }
            return stream.respond(head, body: response.body)
        }
        guard !isClosed else { return source.cancel() }
        self.source = source
        stream.respond(head, isEnd: false)
        if response.body.isEmpty { askForPart(stream) } else { stream.write(response.body) }
    }

    /// Asks for the next part of an answer that goes on, when all before it has left.
    private func askForPart(_ stream: HTTPStream) {
        guard let source, !isAwaitingPart else { return }
        isAwaitingPart = true
        let door = front.loop.door
        let bound = LoopBound((call: self, stream: stream), on: front.loop)
        Task {
            let part = await source.next()
            door.execute { loop in
                let (call, stream) = bound.value(on: loop)
                call.send(part, on: stream)
            }
        }
    }

    private func send(_ part: [UInt8]?, on stream: HTTPStream) {
        isAwaitingPart = false
        guard !isClosed else { return }
        if let part { return stream.write(part) }
        source = nil
        stream.finish(trailers: nil)
    }
}
