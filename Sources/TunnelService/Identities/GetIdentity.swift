package import TunnelDomain

/// Shows one identity.
package struct GetIdentity: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(_ handle: AgentHandle?, by call: CallContext) async throws -> IdentitySnapshot {
        try await ports.look { store, now in
            try store.snapshot(of: call.identity(handle, for: .readIdentity, in: store), at: now)
        }
    }
}
