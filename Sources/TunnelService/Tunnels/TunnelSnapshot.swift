package import TunnelDomain

/// A tunnel as it stands at a moment, for those who show it.
package struct TunnelSnapshot: Sendable, Hashable {
    package let tunnel: Tunnel
    package let connectedAgentCount: Int
    /// The moment by which the status counts.
    package let moment: Timestamp

    package init(tunnel: Tunnel, connectedAgentCount: Int, moment: Timestamp) {
        self.tunnel = tunnel
        self.connectedAgentCount = connectedAgentCount
        self.moment = moment
    }

    package var isConnected: Bool { connectedAgentCount > 0 }
}

extension ServicePorts {
    func snapshot(of tunnel: Tunnel, at now: Timestamp) -> TunnelSnapshot {
        TunnelSnapshot(tunnel: tunnel, connectedAgentCount: presence.connectedAgentCount(of: tunnel.id), moment: now)
    }
}
