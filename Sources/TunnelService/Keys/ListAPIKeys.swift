internal import TunnelDomain

/// Shows the organization's keys without their secrets, ended ones included, newest first.
package struct ListAPIKeys: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(_ range: ListRange, by call: CallContext) async throws -> Page<APIKeySnapshot> {
        try await ports.look { store, now in
            try call.require(.listKeys)
            let page = try range.gather(
                cursor: ListCursor.init(behind:),
                read: { try store.apiKeys(of: call.organizationID, after: $0, limit: $1) })
            return Page(items: try store.snapshots(of: page.items, at: now), next: page.next)
        }
    }
}
