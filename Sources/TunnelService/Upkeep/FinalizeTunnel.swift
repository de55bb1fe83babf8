internal import TunnelDomain

/// Writes down a deletion that time has completed. Clients see no difference; the store frees the name.
struct FinalizeTunnel {
    let ports: ServicePorts

    func write(_ tunnel: Tunnel, in store: any StoreWriting, at now: Timestamp) throws -> ServiceNotice {
        var tunnel = tunnel
        _ = tunnel.sweep(at: now)
        try store.update(tunnel)
        let trail = AuditTrail(ports: ports)
        try trail.append(
            AuditEntry(
                id: trail.newID(), occurredAt: now, action: .tunnelFinalize, organizationID: tunnel.organizationID,
                actor: .system, resourceType: .tunnel, resourceID: tunnel.id.text, ip: nil, requestID: nil),
            in: store)
        return .tunnelChanged(tunnel, .deleted)
    }
}
