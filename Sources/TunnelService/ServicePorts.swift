/// Everything outside that the use cases reach.
package struct ServicePorts: Sendable {
    package let store: any TunnelStore
    package let clock: any WallClock
    package let randomness: any Randomness
    package let hasher: any SecretHasher
    package let sealer: any Sealer
    /// Nil when the service signs no certificates.
    package let issuer: (any CertificateIssuer)?
    package let events: any TunnelEvents
    package let presence: any ConnectionPresence
    /// Shared by all copies of this value, so that every change is told in the order of the commits.
    let noticeOrder = NoticeOrder()
    /// Shared likewise, so that every commit wakes every listener.
    package let feed = EventFeed()

    package init(
        store: any TunnelStore, clock: any WallClock, randomness: any Randomness, hasher: any SecretHasher,
        sealer: any Sealer, issuer: (any CertificateIssuer)?, events: any TunnelEvents, presence: any ConnectionPresence
    ) {
        self.store = store
        self.clock = clock
        self.randomness = randomness
        self.hasher = hasher
        self.sealer = sealer
        self.issuer = issuer
        self.events = events
        self.presence = presence
    }
}
