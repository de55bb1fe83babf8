package import TunnelDomain

/// Remembers when and from where a tunnel's agent last said hello.
package struct RecordAgentConnected: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// Does nothing when the tunnel is gone meanwhile.
    package func callAsFunction(_ id: TunnelID, from address: String, at moment: Timestamp) async throws {
        try await ports.store.write { store in
            guard var tunnel = try store.tunnel(id) else { return }
            tunnel.agentConnected(from: address, at: moment)
            try store.update(tunnel)
        }
    }
}
