package import TunnelDomain

/// Tells the caller what its credential is.
package struct WhoAmI: Sendable {
    package enum Answer: Sendable, Hashable {
        case apiKey(APIKeySnapshot)
        /// A machine client; its id and name stand in the call's actor.
        case app(Set<Scope>)
    }

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(by call: CallContext) async throws -> Answer {
        try call.require(.askWhoAmI)
        switch call.principal.kind {
        case .app(let scopes): return .app(scopes)
        case .connectSecret: throw Refusal.forbidden(.askWhoAmI)
        case .adminKey, .identityKey:
            return try await ports.look { store, now in
                guard let id = APIKeyRecord.id(of: call.actor.id), let record = try store.apiKey(id) else {
                    throw Refusal.unauthenticated
                }
                return .apiKey(try store.snapshot(of: record, at: now))
            }
        }
    }
}
