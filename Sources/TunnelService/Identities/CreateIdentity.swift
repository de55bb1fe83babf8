package import TunnelDomain

/// Makes an identity and its tunnel, both or neither.
package struct CreateIdentity: Sendable {
    package struct Request: Sendable, Hashable {
        package let handle: AgentHandle
        /// Nil for the handle itself.
        package let displayName: String?
        package let description: String?
        package let tlsMode: TLSMode

        package init(handle: AgentHandle, displayName: String? = nil, description: String? = nil, tlsMode: TLSMode = .edge) {
            self.handle = handle
            self.displayName = displayName
            self.description = description
            self.tlsMode = tlsMode
        }
    }

    package struct Created: Sendable {
        package let snapshot: IdentitySnapshot
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
        try call.require(.createIdentity)
        let (identity, tunnel) = try newRecords(request, of: call.organizationID, at: now)
        let stale = try HandleClaim(ports: ports, rules: rules).check(request.handle, in: store, at: now)
        let subject = call.organizationID.text
        let report = try rules.requireRoom(for: .tunnelCreate, of: subject, in: store, at: now)

        let finalized = try stale.map { try FinalizeTunnel(ports: ports).write($0, in: store, at: now) }
        try store.insert(identity)
        try store.insert(tunnel)
        try store.recordSuccess(of: .tunnelCreate, for: subject, at: now)
        let trail = AuditTrail(ports: ports)
        try trail.append(.identityCreate, .identity, identity.id.text, by: call, in: store, at: now)
        try trail.append(.tunnelCreate, of: tunnel, by: call, in: store, at: now)
        let created = Created(
            snapshot: IdentitySnapshot(identity: identity, tunnel: tunnel, moment: now), rateLimit: report)
        return Change(
            created, notices: [finalized, .tunnelChanged(tunnel, .created)].compactMap(\.self),
            events: [EventDraft(.identityCreated, identity, tunnel)])
    }

    private func newRecords(
        _ request: Request, of organizationID: OrganizationID, at now: Timestamp
    ) throws(Refusal) -> (Identity, Tunnel) {
        let id = IdentityID(randomBytes: ports.randomness.bytes(16))
        do throws(IdentityFieldError) {
            let identity = try Identity.create(
                id: id, organizationID: organizationID, handle: request.handle, displayName: request.displayName,
                description: request.description, at: now)
            return (identity, newTunnel(of: identity, request.tlsMode, at: now))
        } catch {
            throw .identityField(error)
        }
    }

    private func newTunnel(of identity: Identity, _ tlsMode: TLSMode, at now: Timestamp) -> Tunnel {
        do throws(TunnelFieldError) {
            return try Tunnel.create(
                id: TunnelID(randomBytes: ports.randomness.bytes(16)), organizationID: identity.organizationID,
                identityID: identity.id, name: identity.handle.name, tlsMode: tlsMode, connectSecretHash: nil, at: now)
        } catch {
            preconditionFailure("a tunnel without description and metadata breaks no bound")
        }
    }
}
