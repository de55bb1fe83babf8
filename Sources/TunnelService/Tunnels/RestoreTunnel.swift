package import TunnelDomain

/// Brings a tunnel back within its grace window.
package struct RestoreTunnel: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func decide(
        _ id: TunnelID?, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<TunnelSnapshot> {
        var tunnel = try call.knownTunnel(id, for: .restoreTunnel, in: store)
        do throws(TunnelNotPendingError) {
            _ = try tunnel.restore(at: now)
        } catch {
            throw Refusal.nothingToRestore(error.status)
        }
        try store.update(tunnel)
        try AuditTrail(ports: ports).append(.tunnelRestore, of: tunnel, by: call, in: store, at: now)
        return Change(ports.snapshot(of: tunnel, at: now), tunnel, .restored)
    }
}
