package import TunnelDomain

/// Deletes an identity for good, and with it its tunnel and its keys. The handle is free at once.
package struct DeleteIdentity: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func decide(
        _ handle: AgentHandle?, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Void> {
        var identity = try call.identity(handle, for: .deleteIdentity, in: store)
        var tunnel = try store.snapshot(of: identity, at: now).tunnel
        do throws(IdentityChangeError) { try identity.delete(at: now) } catch { throw Refusal(error) }
        _ = tunnel.finalize(at: now)

        try store.update(identity)
        try store.update(tunnel)
        let trail = AuditTrail(ports: ports)
        try trail.append(.identityDelete, .identity, identity.id.text, by: call, in: store, at: now)
        try trail.append(.tunnelFinalize, of: tunnel, by: call, in: store, at: now)
        let keys = try endKeys(of: identity, by: call, in: store, at: now)
        return Change(
            (), notices: [.tunnelChanged(tunnel, .deleted)] + keys.map { .keyEnded($0.id) },
            events: keys.map { EventDraft(.keyRevoked, $0) } + [EventDraft(.identityDeleted, identity, tunnel)])
    }

    private func endKeys(
        of identity: Identity, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> [APIKeyRecord] {
        try store.openAPIKeys(of: identity.id).map { key in
            var key = key
            key.end(at: now)
            try store.update(key)
            try AuditTrail(ports: ports).append(.keyRevoke, .apiKey, key.idText, by: call, in: store, at: now)
            return key
        }
    }
}
