package import TunnelDomain

/// Makes one more admin key of an organization, on the service's own machine: no call of the API can.
///
/// An organization whose only admin key has leaked revokes it at once and gets another one here.
package struct MintAdminKey: Sendable {
    package struct Minted: Sendable {
        package let record: APIKeyRecord
        /// The only copy outside the caller's hands is this one.
        package let apiKey: String
    }

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// Nil when there is no such organization.
    ///
    /// - Parameters:
    ///   - scopes: What the key is narrowed to; nil for everything.
    ///   - ranges: From where it may be used; empty for everywhere.
    /// - Throws: a `Refusal` when a scope names no tunnel of the organization.
    package func callAsFunction(
        for organizationID: OrganizationID, label: String = "admin", scopes: [KeyScopeName]? = nil,
        ranges: [AddressRange] = []
    ) async throws -> Minted? {
        try await ports.commit { store, now in
            guard try store.organization(organizationID) != nil else { return Change(nil) }
            let bounds = KeyBounds(
                scopes: try scopes.map { try store.scopes(named: $0, of: organizationID, nil, at: now) }, ranges: ranges)
            let minted = APIKeyMaker(ports: ports).makeAdmin(of: organizationID, label: label, bounds: bounds, at: now)
            try store.insert(minted.record)
            let trail = AuditTrail(ports: ports)
            try trail.append(
                AuditEntry(
                    id: trail.newID(), occurredAt: now, action: .keyCreate, organizationID: organizationID, actor: .system,
                    resourceType: .apiKey, resourceID: minted.record.idText, ip: nil, requestID: nil,
                    details: minted.record.bounds.auditDetails),
                in: store)
            return Change(minted, events: [EventDraft(.keyCreated, minted.record)])
        }
    }
}

extension APIKeyMaker {
    /// Makes an admin key's record and its text.
    func makeAdmin(
        of organizationID: OrganizationID, label: String, bounds: KeyBounds = .none, at now: Timestamp
    ) -> MintAdminKey.Minted {
        let apiKey = SecretFormat.apiKey(randomBytes: ports.randomness.bytes(Self.apiKeyRandomByteCount))
        let record = APIKeyRecord(
            id: UUIDValue(randomBytes: ports.randomness.bytes(16)), organizationID: organizationID, label: label,
            hash: ports.hasher.hash(ofSecret: apiKey), displayPrefix: SecretFormat.displayPrefix(of: apiKey),
            last4: SecretFormat.last4(of: apiKey), createdBy: AuditActor.system.id, createdAt: now, updatedAt: now,
            bounds: bounds)
        return MintAdminKey.Minted(record: record, apiKey: apiKey)
    }
}
