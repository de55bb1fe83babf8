package import TunnelDomain

/// Ends a tunnel's grace window at once; its name is free.
package struct ForceDeleteTunnel: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func decide(
        _ id: TunnelID?, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<TunnelSnapshot> {
        var tunnel = try call.knownTunnel(id, for: .forceDeleteTunnel, in: store)
        do throws(TunnelNotPendingError) {
            try tunnel.forceDelete(at: now)
        } catch {
            throw Refusal.nothingToForceDelete(error.status)
        }
        try store.update(tunnel)
        try AuditTrail(ports: ports).append(.tunnelForceDelete, of: tunnel, by: call, in: store, at: now)
        return Change(ports.snapshot(of: tunnel, at: now), tunnel, .deleted)
    }
}
