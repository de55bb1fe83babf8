package import TunnelDomain

/// Starts a tunnel's grace window; traffic stops at once.
package struct DeleteTunnel: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func decide(
        _ id: TunnelID?, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<TunnelSnapshot> {
        var tunnel = try call.tunnel(id, for: .deleteTunnel, in: store, at: now)
        switch try delete(&tunnel, at: now) {
        case .alreadyPending:
            return Change(ports.snapshot(of: tunnel, at: now))
        case .pending:
            try store.update(tunnel)
            try AuditTrail(ports: ports).append(.tunnelDelete, of: tunnel, by: call, in: store, at: now)
            return Change(ports.snapshot(of: tunnel, at: now), tunnel, .deletePending)
        }
    }

    private func delete(_ tunnel: inout Tunnel, at now: Timestamp) throws(Refusal) -> TunnelDeleteAnswer {
        do throws(TunnelDeleteError) {
            return try tunnel.delete(at: now)
        } catch {
            switch error {
            case .deleted: throw .noSuchTunnel
            case .belongsToIdentity: throw .deletedWithIdentity
            }
        }
    }
}
