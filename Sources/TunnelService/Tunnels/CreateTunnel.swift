package import TunnelDomain

/// Makes a tunnel that stands alone, with a connect secret that is shown once.
package struct CreateTunnel: Sendable {
    package struct Request: Sendable, Hashable {
        package let name: TunnelName
        package let description: String?
        package let tlsMode: TLSMode

        package init(name: TunnelName, description: String? = nil, tlsMode: TLSMode = .edge) {
            self.name = name
            self.description = description
            self.tlsMode = tlsMode
        }
    }

    package struct Created: Sendable {
        package let snapshot: TunnelSnapshot
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
        _ request: Request, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Created> {
        try call.require(.createTunnel)
        let secret = SecretFormat.connectSecret(randomBytes: ports.randomness.bytes(SecretFormat.connectSecretByteCount))
        let tunnel = try newTunnel(request, secret: secret, by: call, at: now)
        guard !rules.reservedNames.contains(request.name) else { throw Refusal.nameReserved(request.name) }
        let holder = try store.tunnel(named: request.name)
        guard holder?.holdsName(at: now) != true else { throw Refusal.nameTaken(request.name) }
        let subject = call.organizationID.text
        let report = try rules.requireRoom(for: .tunnelCreate, of: subject, in: store, at: now)

        let finalized = try holder.map { try FinalizeTunnel(ports: ports).write($0, in: store, at: now) }
        try store.insert(tunnel)
        try store.recordSuccess(of: .tunnelCreate, for: subject, at: now)
        try AuditTrail(ports: ports).append(.tunnelCreate, of: tunnel, by: call, in: store, at: now)
        let created = Created(snapshot: ports.snapshot(of: tunnel, at: now), connectSecret: secret, rateLimit: report)
        let notices: [ServiceNotice] = [finalized, .tunnelChanged(tunnel, .created)].compactMap(\.self)
        return Change(created, notices: notices)
    }

    private func newTunnel(
        _ request: Request, secret: String, by call: CallContext, at now: Timestamp
    ) throws(Refusal) -> Tunnel {
        do throws(TunnelFieldError) {
            return try Tunnel.create(
                id: TunnelID(randomBytes: ports.randomness.bytes(16)), organizationID: call.organizationID,
                name: request.name, description: request.description, tlsMode: request.tlsMode,
                connectSecretHash: ports.hasher.hash(ofSecret: secret), at: now)
        } catch {
            throw .field(error)
        }
    }
}
