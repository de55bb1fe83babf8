package import TunnelDomain

/// Makes a key for one identity; it and its rotation secret are shown once.
///
/// Admin keys are minted on the service's own machine alone, so that a stolen one cannot breed.
package struct MintAPIKey: Sendable {
    package struct Request: Sendable, Hashable {
        package let label: String
        package let description: String?
        /// Nil asks for an admin key, which is refused.
        package let identityID: IdentityID?
        package let expiresAt: Timestamp?

        package init(label: String, description: String? = nil, identityID: IdentityID?, expiresAt: Timestamp? = nil) {
            self.label = label
            self.description = description
            self.identityID = identityID
            self.expiresAt = expiresAt
        }
    }

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func decide(
        _ request: Request, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<NewAPIKey> {
        try call.require(.createIdentityKey)
        guard let identityID = request.identityID else { throw Refusal.adminKeyOverAPI }
        let identity = try call.identity(identityID, for: .createIdentityKey, in: store)
        try check(request, at: now)
        let new = APIKeyMaker(ports: ports).make(
            for: identity, label: request.label, description: request.description, expiresAt: request.expiresAt,
            createdBy: call.actor.id, .human, at: now)

        try store.insert(new.record)
        try AuditTrail(ports: ports).append(
            .keyCreate, .apiKey, new.record.idText, by: call, in: store, at: now,
            details: [.init("scoped_identity_id", identity.id.text)])
        return Change(new, events: [EventDraft(.keyCreated, new.record)])
    }

    private func check(_ request: Request, at now: Timestamp) throws(Refusal) {
        do throws(APIKeyFieldError) {
            try APIKeyFields.check(label: request.label)
            try APIKeyFields.check(description: request.description)
            try APIKeyFields.check(expiresAt: request.expiresAt, at: now)
        } catch {
            throw .keyField(error)
        }
    }
}
