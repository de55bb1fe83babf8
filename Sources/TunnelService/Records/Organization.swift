package import TunnelDomain

/// Whoever owns tunnels, keys and everything else.
package struct Organization: Sendable, Hashable {
    package let id: OrganizationID
    package let createdAt: Timestamp

    package init(id: OrganizationID, createdAt: Timestamp) {
        self.id = id
        self.createdAt = createdAt
    }
}
