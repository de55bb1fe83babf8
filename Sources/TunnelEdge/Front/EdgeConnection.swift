internal import LinuxIO
internal import TunnelDomain
internal import TunnelWire

/// What the edge remembers with a connection of a third party, a client of the API or an agent.
final class EdgeConnection {
    let peerAddress: String
    /// Set when the peer is a trusted proxy: then each request tells its own client.
    private let proxies: TrustedProxies?
    let isLoopback: Bool
    /// The name that the client asked for in TLS, in lower case; every request must be for it.
    let serverName: String?
    /// Every request is sent to the TLS listener.
    let redirectsOnly: Bool
    /// The other end is the other process of a hand-over, which tells each request's peer.
    let isLink: Bool
    /// The tunnel that this connection counts for.
    var site: TunnelSite?
    /// The authority of the last request, and what it came to: most connections ask for one host only.
    var lastAuthority = ""
    var lastDestination = Destination.zone
    /// The site's generation when the destination was found; a tunnel that was renamed or deleted is looked up anew.
    var siteGeneration = 0
    /// WebSockets that are open on it.
    var webSocketCount = 0
    /// On its way to another loop.
    var isMoving = false
    /// What came of requests on the way to their tunnel's loop.
    var relocation: Relocation?
    /// Set by a hello.
    var link: AgentLink?
    /// What a connection to the zone has shown itself to be. One that has said hello may move to another loop, so nothing
    /// else may be under way on it.
    var role = Role.undecided

    /// The address that a request counts for, in limits, records and what the agent is told.
    func clientAddress(_ head: HTTPRequestHead) -> String {
        if isLink, let peer = LinkedPeer(head.fields) { return peer.address }
        return proxies?.client(of: peerAddress, head.fields) ?? peerAddress
    }

    /// Who the request comes from.
    func peer(of head: HTTPRequestHead, isTLS: Bool) -> LinkedPeer {
        if isLink, let peer = LinkedPeer(head.fields) { return peer }
        return LinkedPeer(address: clientAddress(head), isTLS: isTLS, isLoopback: isLoopback)
    }

    enum Role { case undecided, api, agent }

    var isDestinationStale: Bool {
        switch lastDestination {
        case .zone: lastAuthority.isEmpty
        case .tunnel(let site): site.generation != siteGeneration
        // The tunnel may have been created, or a connection freed, since.
        case .refused, .elsewhere: true
        }
    }

    enum Destination {
        case zone
        case tunnel(TunnelSite)
        /// A tunnel that lives on another loop.
        case elsewhere(EventLoop)
        case refused(Refusal)
    }

    init(
        peerAddress: String, isLoopback: Bool, serverName: String?, redirectsOnly: Bool, proxies: TrustedProxies,
        isLink: Bool = false
    ) {
        self.isLink = isLink
        self.peerAddress = peerAddress
        self.proxies = proxies.contains(peerAddress) ? proxies : nil
        self.isLoopback = isLoopback
        self.serverName = serverName
        self.redirectsOnly = redirectsOnly
    }
}
