internal import HTTPTransport
internal import TunnelDomain
internal import TunnelService

/// An agent's connection that has said hello: what it may do, until it ends.
final class AgentLink {
    let number: UInt64
    let site: TunnelSite
    let tunnelID: TunnelID
    /// The tunnel's id as it stands in `x-tunnel-id` of every request.
    let tunnelIDText: String
    let connection: HTTP2Connection
    let credential: AgentCredential
    let keyID: UUIDValue?
    let ownerToken: [UInt8]
    let poolSize: Int
    let features: Set<Feature>
    let address: String
    /// Requests whose third party has gone, to be told with the next intakes.
    var cancellations: [String] = []
    /// Set when the connection may do nothing more, but is not closed yet.
    private(set) var isEnding = false

    /// What both ends may agree on beyond the base protocol (data plane, section 10).
    enum Feature: String, CaseIterable {
        /// Header values that are not UTF-8 reach the agent.
        case opaqueHeaders = "opaque-headers"
        /// A parked intake may tell the agent that a third party has gone away, so that it stops its work at once.
        case cancel
    }

    init(
        number: UInt64, site: TunnelSite, connection: HTTP2Connection, credential: AgentCredential, keyID: UUIDValue?,
        poolSize: Int, features: Set<Feature>, address: String
    ) {
        self.number = number
        self.site = site
        tunnelID = site.tunnel.id
        tunnelIDText = tunnelID.text
        self.connection = connection
        self.credential = credential
        self.keyID = keyID
        var random = SystemRandomNumberGenerator()
        ownerToken = (0..<32).map { _ in Array("0123456789abcdef".utf8)[Int.random(in: 0..<16, using: &random)] }
        self.poolSize = poolSize
        self.features = features
        self.address = address
    }

    func acceptsOwnerToken(_ text: String) -> Bool { constantTimeEquals(Array(text.utf8), ownerToken) }

    func acceptsCredential(_ shown: AgentCredential?) -> Bool {
        switch (shown, credential) {
        case (.connectSecret(let shown)?, .connectSecret(let known)), (.apiKey(let shown)?, .apiKey(let known)):
            constantTimeEquals(Array(shown.utf8), Array(known.utf8))
        case (nil, _), (.connectSecret?, .apiKey), (.apiKey?, .connectSecret): false
        }
    }

    /// Sends GOAWAY with the documented code and reason; the peer's open replies may still finish.
    func end(_ ending: Ending) {
        guard !isEnding else { return }
        isEnding = true
        connection.goAway(errorCode: ending.errorCode, debugData: Array(#"{"reason":"\#(ending.reason)"}"#.utf8))
    }

    enum Ending: CaseIterable {
        case superseded, drain, tunnelDeleted, keyRevoked

        var errorCode: UInt32 {
            switch self {
            case .superseded: 0x1201
            case .drain, .tunnelDeleted, .keyRevoked: 0
            }
        }

        var reason: String {
            switch self {
            case .superseded: "superseded"
            case .drain: "drain"
            case .tunnelDeleted: "tunnel-deleted"
            case .keyRevoked: "key-revoked"
            }
        }
    }
}
