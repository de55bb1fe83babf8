package import TunnelDomain

/// Ends a key: it counts no more at the next request, and agents' connections that were opened with it end.
package struct RevokeAPIKey: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// Does nothing to a key that has ended already.
    package func decide(
        _ id: UUIDValue?, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Void> {
        var key = try call.apiKey(id, for: .revokeKey, in: store)
        guard key.revokedAt == nil else { return Change(()) }
        key.end(at: now)
        try store.update(key)
        try AuditTrail(ports: ports).append(.keyRevoke, .apiKey, key.idText, by: call, in: store, at: now)
        return Change((), notices: [.keyEnded(key.id)], events: [EventDraft(.keyRevoked, key)])
    }
}
