package import TunnelDomain

/// A place in a list of tunnels, newest first: behind this tunnel.
package struct TunnelCursor: Sendable, Hashable {
    package let createdAt: Timestamp
    package let id: TunnelID

    package init(createdAt: Timestamp, id: TunnelID) {
        self.createdAt = createdAt
        self.id = id
    }

    /// The place right behind a tunnel.
    package init(behind tunnel: Tunnel) {
        self.init(createdAt: tunnel.createdAt, id: tunnel.id)
    }

    /// Whether the tunnel comes after this place: older, or as old with a smaller id.
    package func precedes(_ tunnel: Tunnel) -> Bool {
        (tunnel.createdAt, tunnel.id) < (createdAt, id)
    }
}
