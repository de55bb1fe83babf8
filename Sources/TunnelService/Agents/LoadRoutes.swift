package import TunnelDomain

/// Every tunnel that the edge has to know when the service starts: all that are not deleted.
package struct LoadRoutes: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction() async throws -> [Tunnel] {
        try await ports.look { store, now in
            try store.livingTunnels().filter { $0.status(at: now) != .deleted }
        }
    }
}
