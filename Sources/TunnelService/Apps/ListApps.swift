internal import TunnelDomain

/// Shows the organization's apps, newest first.
package struct ListApps: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(_ range: ListRange, by call: CallContext) async throws -> Page<AppRecord> {
        try await ports.look { store, _ in
            try call.require(.readApps)
            return try range.gather(cursor: ListCursor.init(behind:)) {
                try store.apps(of: call.organizationID, after: $0, limit: $1)
            }
        }
    }
}

extension ListCursor {
    /// The place right behind an app.
    init(behind app: AppRecord) { self.init(createdAt: app.createdAt, id: app.id.value) }
}
