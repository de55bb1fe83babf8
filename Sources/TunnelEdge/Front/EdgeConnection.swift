internal import LinuxIO
internal import TunnelDomain

/// What the edge remembers with a connection of a third party, a client of the API or an agent.
final class EdgeConnection {
    let peerAddress: String
    let isLoopback: Bool
    /// The name that the client asked for in TLS, in lower case; every request must be for it.
    let serverName: String?
    /// Every request is sent to the TLS listener.
    let redirectsOnly: Bool
    /// The tunnel that this connection counts for.
    var site: TunnelSite?
    /// The authority of the last request, and what it came to: most connections ask for one host only.
    var lastAuthority = ""
    var lastDestination = Destination.zone
    /// The site's generation when the destination was found; a tunnel that was renamed or deleted is looked up anew.
    var siteGeneration = 0
    /// On its way to another loop.
    var isMoving = false
    /// Set by a hello.
    var link: AgentLink?
    /// What a connection to the zone has shown itself to be. One that has said hello may move to another loop, so nothing
    /// else may be under way on it.
    var role = Role.undecided

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

    init(peerAddress: String, isLoopback: Bool, serverName: String?, redirectsOnly: Bool) {
        self.peerAddress = peerAddress
        self.isLoopback = isLoopback
        self.serverName = serverName
        self.redirectsOnly = redirectsOnly
    }
}
