package import TunnelDomain

/// What became of a tunnel.
package enum TunnelChange: Sendable, Hashable, CaseIterable {
    case created, updated, deletePending, restored, deleted, secretRotated, certSigned
}

/// Hears of every change after it was committed; the edge updates its routes and ends connections with it.
package protocol TunnelEvents: Sendable {
    /// Must return soon: the answer to the client waits for it, so that a change is in force when it is acknowledged.
    func tunnelChanged(_ tunnel: Tunnel, _ change: TunnelChange) async

    /// A key was revoked, replaced or deleted with its identity; agents' connections that were opened with it must end.
    func keyEnded(_ id: UUIDValue) async
}
