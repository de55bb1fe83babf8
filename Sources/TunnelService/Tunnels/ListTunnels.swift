internal import TunnelDomain

/// Shows the caller's tunnels without deleted ones, newest first.
package struct ListTunnels: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(_ range: ListRange, by call: CallContext) async throws -> Page<TunnelSnapshot> {
        try await ports.look { store, now in
            try call.require(.listTunnels)
            let page = try range.gather(
                cursor: ListCursor.init(behind:),
                shows: {
                    // The store also returns tunnels that time has deleted.
                    $0.status(at: now) != .deleted
                        && Permission.decide(call.principal, .listTunnels, on: Permission.Resource($0)) == .allow
                },
                read: { try store.tunnels(of: call.organizationID, after: $0, limit: $1) })
            return page.map { ports.snapshot(of: $0, at: now) }
        }
    }
}
