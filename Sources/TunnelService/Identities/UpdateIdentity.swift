package import TunnelDomain

/// Changes an identity's names and description. A new handle renames its tunnel: the old host stops, the new one works, and
/// the agent stays connected.
package struct UpdateIdentity: Sendable {
    package struct Request: Sendable, Hashable {
        /// The new handle, or nil to keep the old one.
        package let handle: AgentHandle?
        package let displayName: FieldChange<String>
        package let description: FieldChange<String>

        package init(
            handle: AgentHandle? = nil, displayName: FieldChange<String> = .keep, description: FieldChange<String> = .keep
        ) {
            self.handle = handle
            self.displayName = displayName
            self.description = description
        }
    }

    private let ports: ServicePorts
    private let rules: ServiceRules

    package init(ports: ServicePorts, rules: ServiceRules) {
        self.ports = ports
        self.rules = rules
    }

    package func decide(
        _ handle: AgentHandle?, _ request: Request, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<IdentitySnapshot> {
        let before = try call.identity(handle, for: .updateIdentity, in: store)
        var snapshot = try store.snapshot(of: before, at: now)
        let (identity, answer) = try updated(before, request, at: now)
        switch answer {
        case .unchanged:
            return Change(snapshot)
        case .changed:
            snapshot = IdentitySnapshot(identity: identity, tunnel: snapshot.tunnel, moment: now)
            try write(identity, was: before, by: call, in: store, at: now)
            return Change(snapshot, events: [EventDraft(.identityUpdated, identity, snapshot.tunnel)])
        case .renamed:
            let stale = try HandleClaim(ports: ports, rules: rules).check(identity.handle, in: store, at: now)
            let finalized = try stale.map { try FinalizeTunnel(ports: ports).write($0, in: store, at: now) }
            let tunnel = try renamed(snapshot.tunnel, to: identity.handle.name, at: now)
            try write(identity, was: before, by: call, in: store, at: now)
            try store.update(tunnel)
            try AuditTrail(ports: ports).append(.tunnelUpdate, of: tunnel, by: call, in: store, at: now)
            return Change(
                IdentitySnapshot(identity: identity, tunnel: tunnel, moment: now),
                notices: [finalized, .tunnelChanged(tunnel, .updated)].compactMap(\.self),
                events: [EventDraft(.identityUpdated, identity, tunnel)])
        }
    }

    private func updated(
        _ identity: Identity, _ request: Request, at now: Timestamp
    ) throws(Refusal) -> (Identity, IdentityUpdateAnswer) {
        var identity = identity
        do throws(IdentityChangeError) {
            let answer = try identity.update(
                handle: request.handle, displayName: request.displayName, description: request.description, at: now)
            return (identity, answer)
        } catch {
            throw Refusal(error)
        }
    }

    private func renamed(_ tunnel: Tunnel, to name: TunnelName, at now: Timestamp) throws(Refusal) -> Tunnel {
        var tunnel = tunnel
        do throws(TunnelUpdateError) {
            _ = try tunnel.rename(to: name, at: now)
            return tunnel
        } catch {
            switch error {
            case .deleted: throw .noSuchIdentity
            case .deletePending: throw .deletePending
            case .field(let field): throw .field(field)
            }
        }
    }

    private func write(
        _ identity: Identity, was before: Identity, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws {
        try store.update(identity)
        var details: [EventDraft.Member] = []
        if identity.handle != before.handle {
            details = [.init("old_handle", before.handle.text), .init("new_handle", identity.handle.text)]
        }
        try AuditTrail(ports: ports).append(
            .identityUpdate, .identity, identity.id.text, by: call, in: store, at: now, details: details)
    }
}

extension Refusal {
    /// What a caller is told of an identity that cannot be changed.
    init(_ error: IdentityChangeError) {
        switch error {
        case .deleted: self = .noSuchIdentity
        case .field(let field): self = .identityField(field)
        }
    }
}
