package import TunnelDomain

/// Tells listeners that an agent serves a tunnel from now on, and which one it took the tunnel over from.
package struct RecordAgentServing: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// - Parameter supersededAddresses: The IP addresses of the agents that served the tunnel until now.
    package func callAsFunction(_ id: TunnelID, from address: String, supersededAddresses: [String]) async throws {
        try await ports.commit { store, _ in
            guard let tunnel = try store.tunnel(id) else { return Change(()) }
            let superseded = supersededAddresses.map {
                EventDraft(.tunnelSuperseded, tunnel, adding: [.init("ip", $0), .init("superseded_by_ip", address)])
            }
            return Change((), events: superseded + [EventDraft(.tunnelConnected, tunnel, adding: [.init("ip", address)])])
        }
    }
}
