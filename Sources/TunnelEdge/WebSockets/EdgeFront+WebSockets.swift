internal import HTTPTransport
internal import LinuxIO
internal import TLS
internal import TunnelWire

/// A third party's wish for a WebSocket, until the agent has answered it.
struct WebSocketOffer {
    let id: String
    /// The client's key over HTTP/1.1; over HTTP/2 there is none.
    let key: String?
    let edge: EdgeConnection
    /// What the third party has sent already.
    var early: [UInt8] = []

    private static let idPrefix = "ws-"

    /// The id of the WebSocket that this request asks for.
    static func id(ofRequest id: String) -> String { idPrefix + id }

    /// Where the id of the request lies, in the id of its WebSocket.
    static func requestID(in place: Range<Int>) -> Range<Int>? {
        let start = place.lowerBound + idPrefix.utf8.count
        return start < place.upperBound ? start..<place.upperBound : nil
    }
}

extension EdgeFront {
    func acceptWebSocket(
        _ head: HTTPRequestHead, for site: TunnelSite, edge: EdgeConnection, on stream: HTTPStream
    ) -> any HTTPStreamReceiver {
        let key: String?
        do throws(WebSocketHandshake.OfferError) {
            key = try WebSocketHandshake.key(of: head)
        } catch {
            switch error {
            case .malformedKey: return refuse(.malformedUpgrade, head, stream)
            case .unsupportedVersion: return refuse(.unsupportedWebSocketVersion, head, stream)
            }
        }
        let (number, id) = nextRequest()
        // To the agent it is a GET, whatever it came as.
        var head = head
        head.method = "GET"
        let exchange = Exchange(
            number: number, id: id, head: head, isEnd: true, peerAddress: edge.clientAddress(head), thirdParty: stream,
            site: site,
            at: loop.now)
        exchange.webSocket = WebSocketOffer(id: WebSocketOffer.id(ofRequest: id), key: key, edge: edge)
        stream.receiver = exchange
        site.arrived(exchange)
        return exchange
    }
}

extension TunnelSite {
    /// Opens the WebSocket that the agent has accepted; the agent's end follows with its bind.
    func open(_ offer: WebSocketOffer, _ envelope: ReplyEnvelope, for thirdParty: HTTPStream) {
        var fields = envelope.fields
        if let key = offer.key {
            fields.append("sec-websocket-accept", Base64.encode(SHA1.hash(WebSocketHandshake.acceptInput(for: key))))
        }
        let session = WebSocketSession(offer, thirdParty: thirdParty, settings: webSocketSettings, loop: loop) { [self] in
            offer.edge.webSocketCount -= 1
            webSocketOver($0)
        }
        offer.edge.webSocketCount += 1
        webSocketOpened(session)
        thirdParty.respond(HTTPResponseHead(status: offer.key == nil ? 200 : 101, fields: fields), isEnd: false)
        session.begin(with: offer.early)
    }
}

extension Span<UInt8> {
    /// The text of a part that is known to be ASCII, or of which foreign bytes do not matter.
    func text(at place: Range<Int>) -> String {
        extracting(place).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
}
