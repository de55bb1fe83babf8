package import TunnelDomain

/// Ends an app: its credential counts no more from the next request on.
package struct DeleteApp: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func decide(
        _ id: AppID?, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Void> {
        let app = try call.app(id, for: .deleteApp, in: store)
        try store.deleteApp(app.id)
        try AuditTrail(ports: ports).append(
            .appDelete, .app, app.id.text, by: call, in: store, at: now, details: [EventDraft.Member("name", app.name)])
        return Change(())
    }
}
