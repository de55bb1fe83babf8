package import TunnelDomain

/// Who calls, and from where: what permissions are decided by and what the audit trail remembers.
package struct CallContext: Sendable, Hashable {
    package let principal: Principal
    package let actor: AuditActor
    /// The caller's IP address without port.
    package let ip: String
    package let requestID: String

    package init(principal: Principal, actor: AuditActor, ip: String, requestID: String) {
        self.principal = principal
        self.actor = actor
        self.ip = ip
        self.requestID = requestID
    }

    package var organizationID: OrganizationID { principal.organizationID }
}

extension CallContext {
    /// Throws unless the caller may do such a thing at all; asked before anything is looked up.
    func require(_ action: Permission.Action) throws(Refusal) {
        switch Permission.decide(principal, action) {
        case .allow: return
        case .forbid: throw forbidden(action)
        case .hide: throw .noSuchTunnel
        }
    }

    /// Why the caller may not do such a thing.
    package func forbidden(_ action: Permission.Action) -> Refusal {
        guard let scope = Permission.missingScope(principal, action) else { return .forbidden(action) }
        return .scopeMissing(action, scope: scope)
    }

    /// Throws when a credential could do more than whoever would get to see it now.
    func requireNoExcess(of kind: Principal.Kind, _ bounds: KeyBounds = .none) throws(Refusal) {
        guard let excess = Permission.excess(of: kind, bounds, over: principal) else { return }
        throw .exceedsOwn(excess)
    }

    /// The tunnel with this id, if it is there and the caller may do this to it.
    ///
    /// One that is deleted, or of another organization, is refused exactly like one that never was.
    func tunnel(
        _ id: TunnelID?, for action: Permission.Action, in store: any StoreReading, at now: Timestamp
    ) throws -> Tunnel {
        let tunnel = try knownTunnel(id, for: action, in: store)
        guard tunnel.status(at: now) != .deleted else { throw Refusal.noSuchTunnel }
        return tunnel
    }

    /// The same, deleted ones included: for actions that answer with a conflict about the status instead.
    func knownTunnel(_ id: TunnelID?, for action: Permission.Action, in store: any StoreReading) throws -> Tunnel {
        try require(action)
        guard let id, let tunnel = try store.tunnel(id) else { throw Refusal.noSuchTunnel }
        switch Permission.decide(principal, action, on: Permission.Resource(tunnel)) {
        case .allow: return tunnel
        case .forbid: throw forbidden(action)
        case .hide: throw Refusal.noSuchTunnel
        }
    }

    /// The identity with this handle, if it is there and the caller may do this to it.
    func identity(_ handle: AgentHandle?, for action: Permission.Action, in store: any StoreReading) throws -> Identity {
        try require(action)
        return try permitted(try handle.flatMap { try store.identity(named: $0) }, for: action)
    }

    /// The same by its id; one that is deleted is refused like one that never was.
    func identity(_ id: IdentityID, for action: Permission.Action, in store: any StoreReading) throws -> Identity {
        try require(action)
        return try permitted(try store.identity(id), for: action)
    }

    private func permitted(_ identity: Identity?, for action: Permission.Action) throws(Refusal) -> Identity {
        guard let identity, identity.isLiving else { throw .noSuchIdentity }
        switch Permission.decide(principal, action, on: Permission.Resource(identity)) {
        case .allow: return identity
        case .forbid: throw forbidden(action)
        case .hide: throw .noSuchIdentity
        }
    }

    /// The key with this id, ended ones included, if the caller may do this to it.
    func apiKey(_ id: UUIDValue?, for action: Permission.Action, in store: any StoreReading) throws -> APIKeyRecord {
        try require(action)
        guard let id, let key = try store.apiKey(id) else { throw Refusal.noSuchKey }
        let resource = Permission.Resource(organizationID: key.organizationID, identityID: key.scopedIdentityID)
        switch Permission.decide(principal, action, on: resource) {
        case .allow: return key
        case .forbid: throw forbidden(action)
        case .hide: throw Refusal.noSuchKey
        }
    }
}
