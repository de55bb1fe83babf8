import FileStorage
import SystemClock
import TLS
import TunnelDomain
import TunnelService

extension ServicePorts {
    /// Joins the use cases with this machine: its clock, its randomness, OpenSSL, and the store of the data directory.
    init(
        store: SQLiteStore, sealingKey: SealingKey, authority: CertificateAuthority, events: any TunnelEvents,
        presence: any ConnectionPresence
    ) {
        self.init(
            store: store, clock: SystemWallClock(), randomness: SystemRandomness(), hasher: OpenSSLHasher(),
            sealer: OpenSSLSealer(key: sealingKey), issuer: LocalIssuer(authority: authority), events: events,
            presence: presence)
    }
}

/// What there is in place of an edge while no traffic is carried, as during `init`.
struct NoEdge: TunnelEvents, ConnectionPresence {
    func tunnelChanged(_ tunnel: Tunnel, _ change: TunnelChange) async {}
    func keyEnded(_ id: UUIDValue) async {}
    func connectedAgentCount(of id: TunnelID) -> Int { 0 }
}
