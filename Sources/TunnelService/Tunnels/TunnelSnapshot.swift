package import TunnelDomain

/// A tunnel as it stands at a moment, for those who show it.
package struct TunnelSnapshot: Sendable, Hashable {
    package let tunnel: Tunnel
    package let isConnected: Bool
    /// The moment by which the status counts.
    package let moment: Timestamp

    package init(tunnel: Tunnel, isConnected: Bool, moment: Timestamp) {
        self.tunnel = tunnel
        self.isConnected = isConnected
        self.moment = moment
    }
}

extension ServicePorts {
    func snapshot(of tunnel: Tunnel, at now: Timestamp) -> TunnelSnapshot {
        TunnelSnapshot(tunnel: tunnel, isConnected: presence.isConnected(tunnel.id), moment: now)
    }
}
