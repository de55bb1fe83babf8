internal import TunnelWire

/// Who is at the other end of a request that the neighbor has forwarded; travels in a field of the request.
struct LinkedPeer: Hashable {
    /// The address that the request counts for.
    var address: String
    var isTLS: Bool
    var isLoopback: Bool

    static let fieldName: StaticString = "inkbox-link-peer"
    private static let fieldText = "inkbox-link-peer"

    init(address: String, isTLS: Bool, isLoopback: Bool) {
        self.address = address
        self.isTLS = isTLS
        self.isLoopback = isLoopback
    }

    /// Reads what ``head(_:)`` has written; nil when there is nothing of the kind.
    init?(_ fields: HTTPFields) {
        let words = fields.first(named: Self.fieldText)?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        self.init(address: String(words[0]), isTLS: words[1] == "tls", isLoopback: words[2] == "local")
    }

    private var text: String { "\(address) \(isTLS ? "tls" : "clear") \(isLoopback ? "local" : "remote")" }

    /// The request as it goes to the neighbor: without what belongs to its connection, with its peer. A WebSocket of
    /// HTTP/1.1 becomes one of HTTP/2 (RFC 8441).
    func head(_ given: HTTPRequestHead) -> HTTPRequestHead {
        let nominated = NominatedFields(of: given.fields)
        let isUpgrade = given.upgradeProtocol != nil
        var fields = HTTPFields()
        given.fields.forEach { known, name, value in
            guard !Self.isOfConnection(known, value), !nominated.contains(name), !name.equals(Self.fieldName) else { return }
            if isUpgrade, known == .secWebsocketKey { return }
            fields.append(name: name, value: value)
        }
        fields.append(Self.fieldName, text)
        var head = given
        head.fields = fields
        if isUpgrade { head.method = "CONNECT" }
        return head
    }

    private static func isOfConnection(_ known: KnownField, _ value: Span<UInt8>) -> Bool {
        ofConnection.contains(known) || known == .te && !value.equals("trailers")
    }

    private static let ofConnection: Set<KnownField> = [
        .connection, .host, .keepAlive, .proxyConnection, .trailer, .transferEncoding, .upgrade,
    ]
}
