package import TunnelDomain

/// Shows one tunnel.
package struct GetTunnel: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(_ id: TunnelID?, by call: CallContext) async throws -> TunnelSnapshot {
        try await ports.look { store, now in
            ports.snapshot(of: try call.tunnel(id, for: .readTunnel, in: store, at: now), at: now)
        }
    }
}
