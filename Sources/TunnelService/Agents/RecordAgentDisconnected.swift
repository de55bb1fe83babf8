package import TunnelDomain

/// Remembers when a tunnel's last agent went away, and tells listeners.
package struct RecordAgentDisconnected: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// Does nothing when the tunnel is gone meanwhile.
    package func callAsFunction(_ id: TunnelID, at moment: Timestamp) async throws {
        try await ports.commit { store, _ in
            guard var tunnel = try store.tunnel(id) else { return Change(()) }
            tunnel.agentDisconnected(at: moment)
            try store.update(tunnel)
            return Change((), events: [EventDraft(.tunnelDisconnected, tunnel)])
        }
    }
}
