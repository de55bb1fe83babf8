internal import HTTPTransport
internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// An agent's connection that has said hello: what it may do, until it ends.
final class AgentLink {
    let number: UInt64
    let site: TunnelSite
    let tunnelID: TunnelID
    /// The tunnel's id as it stands in `x-tunnel-id` of every request.
    private let tunnelIDBytes: [UInt8]
    let connection: HTTP2Connection
    private let credentialField: KnownField
    private let credentialBytes: [UInt8]
    let keyID: UUIDValue?
    let ownerToken: [UInt8]
    let poolSize: Int
    let features: Set<Feature>
    let address: String
    /// Requests whose third party has gone, to be told with the next intakes.
    var cancellations: [String] = []
    /// Tells listeners that the agent serves; whoever tells of its end waits for this.
    var announcement: Task<Void, Never>?
    /// Set when the connection may do nothing more, but is not closed yet.
    private(set) var isEnding = false
    /// The agent was told to go to the process that has taken over; what it begins until then is still taken.
    private(set) var isMoving = false

    /// What both ends may agree on beyond the base protocol (data plane, section 10).
    enum Feature: String, CaseIterable {
        /// Header values that are not UTF-8 reach the agent.
        case opaqueHeaders = "opaque-headers"
        /// A parked intake may tell the agent that a third party has gone away, so that it stops its work at once.
        case cancel
        /// The agent takes what comes on a bridge as it comes, so that envelopes may be larger than its windows.
        case streamBridges = "stream-bridges"
        /// The agent serves the tunnel beside others that say so too, and takes it over from none of them.
        case shared
        /// The agent leaves its intakes open and replies there, so that a request costs one stream and not two.
        case repliesOnIntake = "replies-on-intake"
        /// The agent says when it leaves, and is told when nothing more can come.
        case leave
        /// A TCP connection's bytes travel on their bridge as they are, without frames.
        case rawTCP = "raw-tcp"
        /// Trailers travel both ways, and with them the calls of gRPC.
        case trailers
    }

    init(
        number: UInt64, site: TunnelSite, connection: HTTP2Connection, credential: AgentCredential, keyID: UUIDValue?,
        ownerToken: [UInt8], poolSize: Int, features: Set<Feature>, address: String
    ) {
        self.number = number
        self.site = site
        tunnelID = site.tunnel.id
        tunnelIDBytes = Array(tunnelID.text.utf8)
        self.connection = connection
        switch credential {
        case .connectSecret(let secret): (credentialField, credentialBytes) = (.xTunnelSecret, Array(secret.utf8))
        case .apiKey(let key): (credentialField, credentialBytes) = (.xApiKey, Array(key.utf8))
        }
        self.keyID = keyID
        self.ownerToken = ownerToken
        self.poolSize = poolSize
        self.features = features
        self.address = address
    }

    /// Whether the request names this link's tunnel.
    func isNamed(by fields: HTTPFields) -> Bool {
        fields.withFirst(.xTunnelId) { $0.isEqualInConstantTime(to: tunnelIDBytes) } ?? false
    }

    func acceptsOwnerToken(of fields: HTTPFields) -> Bool {
        fields.withFirst(.xOwnerToken) { $0.isEqualInConstantTime(to: ownerToken) } ?? false
    }

    /// Whether the request shows the credential of this connection's hello.
    func acceptsCredential(of fields: HTTPFields) -> Bool {
        fields.withFirst(credentialField) { $0.isEqualInConstantTime(to: credentialBytes) } ?? false
    }

    /// Sends GOAWAY with the documented code and reason; the peer's open replies may still finish.
    func end(_ ending: Ending) {
        guard !isEnding else { return }
        isEnding = true
        connection.goAway(errorCode: ending.errorCode, debugData: Array(#"{"reason":"\#(ending.reason)"}"#.utf8))
    }

    /// Tells the agent to go to the process that has taken over.
    func move() {
        guard !isEnding, !isMoving else { return }
        isMoving = true
        connection.announceEnd(debugData: Array(#"{"reason":"\#(Ending.drain.reason)"}"#.utf8))
    }

    /// What such an agent does with its work when it is told to go.
    var farewell: AgentFarewell {
        // Ours is the only one that knows features; the old SDK is the one with a secret.
        if features.contains(.cancel) { return .finishesHere }
        return credentialField == .xApiKey ? .answersElsewhere : .dropsWork
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

extension Span<UInt8> {
    /// Compares without telling by its duration where the two differ; only the length is no secret.
    func isEqualInConstantTime(to other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        var difference: UInt8 = 0
        for index in other.indices { difference |= self[index] ^ other[index] }
        return difference == 0
    }
}
