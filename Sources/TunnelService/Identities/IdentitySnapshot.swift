package import TunnelDomain

/// An identity with its tunnel as both stand at a moment, for those who show them.
package struct IdentitySnapshot: Sendable, Hashable {
    package let identity: Identity
    package let tunnel: Tunnel
    /// The moment by which the tunnel's status counts.
    package let moment: Timestamp

    package init(identity: Identity, tunnel: Tunnel, moment: Timestamp) {
        self.identity = identity
        self.tunnel = tunnel
        self.moment = moment
    }
}

extension StoreReading {
    /// The identity with its tunnel; every living identity has one.
    func snapshot(of identity: Identity, at now: Timestamp) throws(StoreError) -> IdentitySnapshot {
        guard let tunnel = try tunnel(of: identity.id) else {
            throw .corrupt("the identity \(identity.id) has no tunnel")
        }
        return IdentitySnapshot(identity: identity, tunnel: tunnel, moment: now)
    }
}

extension EventDraft {
    /// An event about an identity as it is.
    init(_ type: EventType, _ identity: Identity, _ tunnel: Tunnel) {
        self.init(
            type, organizationID: identity.organizationID, identityID: identity.id, tunnelID: tunnel.id,
            data: [
                Member("agent_identity_id", identity.id.text), Member("agent_handle", identity.handle.text),
                Member("display_name", identity.displayName), Member("tunnel_id", tunnel.id.text),
            ])
    }
}

extension Permission.Resource {
    init(_ identity: Identity) {
        self.init(organizationID: identity.organizationID, identityID: identity.id)
    }
}
