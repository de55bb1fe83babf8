package import TunnelDomain

/// Shows one app.
package struct GetApp: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(_ id: AppID?, by call: CallContext) async throws -> AppRecord {
        try await ports.look { store, _ in try call.app(id, for: .readApps, in: store) }
    }
}

extension CallContext {
    /// The app with this id, if it is there and the caller may do this to it.
    ///
    /// One of another organization is refused exactly like one that never was.
    func app(_ id: AppID?, for action: Permission.Action, in store: any StoreReading) throws -> AppRecord {
        try require(action)
        guard let id, let app = try store.app(id) else { throw Refusal.noSuchApp }
        switch Permission.decide(principal, action, on: Permission.Resource(app)) {
        case .allow: return app
        case .forbid: throw forbidden(action)
        case .hide: throw Refusal.noSuchApp
        }
    }
}
