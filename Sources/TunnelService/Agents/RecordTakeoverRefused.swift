package import TunnelDomain

/// Puts on record that agents kept taking a tunnel from each other until a challenger was refused (data plane, section 8).
package struct RecordTakeoverRefused: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// Does nothing when the tunnel is gone meanwhile.
    ///
    /// - Parameter address: The IP address of the agent that was refused.
    package func callAsFunction(_ id: TunnelID, from address: String) async throws {
        let trail = AuditTrail(ports: ports)
        try await ports.commit { store, now in
            guard let tunnel = try store.tunnel(id) else { return Change(()) }
            try trail.append(
                AuditEntry(
                    id: trail.newID(), occurredAt: now, action: .tunnelSupersede, organizationID: tunnel.organizationID,
                    actor: AuditActor(kind: .agent, id: id.text, label: tunnel.name.text), resourceType: .tunnel,
                    resourceID: id.text, ip: address, requestID: nil, outcome: .refused,
                    details: [EventDraft.Member("reason", "agents took the tunnel from each other too often")]),
                in: store)
            return Change(())
        }
    }
}
