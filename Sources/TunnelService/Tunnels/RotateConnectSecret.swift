package import TunnelDomain

/// Gives a tunnel a new connect secret, shown once. Live connections stay; the old secret is refused at the next hello.
package struct RotateConnectSecret: Sendable {
    package struct Rotated: Sendable {
        /// The only copy outside the caller's hands is this one.
        package let connectSecret: String
        package let rateLimit: RateLimitReport
    }

    private let ports: ServicePorts
    private let rules: ServiceRules

    package init(ports: ServicePorts, rules: ServiceRules) {
        self.ports = ports
        self.rules = rules
    }

    package func decide(
        _ id: TunnelID?, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Rotated> {
        var tunnel = try call.tunnel(id, for: .rotateConnectSecret, in: store, at: now)
        let secret = SecretFormat.connectSecret(randomBytes: ports.randomness.bytes(SecretFormat.connectSecretByteCount))
        try rotate(&tunnel, to: ports.hasher.hash(ofSecret: secret), at: now)
        let report = try rules.requireRoom(for: .secretRotate, of: tunnel.id.text, in: store, at: now)

        try store.update(tunnel)
        try store.recordSuccess(of: .secretRotate, for: tunnel.id.text, at: now)
        try AuditTrail(ports: ports).append(.secretRotate, of: tunnel, by: call, in: store, at: now)
        return Change(Rotated(connectSecret: secret, rateLimit: report), tunnel, .secretRotated)
    }

    private func rotate(_ tunnel: inout Tunnel, to hash: [UInt8], at now: Timestamp) throws(Refusal) {
        do throws(TunnelRotateError) {
            try tunnel.rotateConnectSecret(to: hash, at: now)
        } catch {
            switch error {
            case .deleted: throw .noSuchTunnel
            case .deletePending: throw .deletePending
            case .belongsToIdentity: throw .identityHasNoConnectSecret
            }
        }
    }
}
