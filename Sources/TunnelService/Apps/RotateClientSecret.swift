package import TunnelDomain

/// Gives an app a new secret, shown once; the old one counts no more from the next request on.
package struct RotateClientSecret: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// - Returns: the new secret; the only copy outside the caller's hands is this one.
    package func decide(
        _ id: AppID?, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<String> {
        var app = try call.app(id, for: .rotateClientSecret, in: store)
        try call.requireNoExcess(of: .app(app.scopes))
        let secret = ports.newClientSecret()
        app.rotateSecret(to: ports.hasher.hash(ofSecret: secret), last4: SecretFormat.last4(of: secret), at: now)
        try store.update(app)
        try AuditTrail(ports: ports).append(.appRotateSecret, .app, app.id.text, by: call, in: store, at: now)
        return Change(secret)
    }
}
