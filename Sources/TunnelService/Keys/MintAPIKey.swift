package import TunnelDomain

/// Makes a key, shown once: for one identity, with its rotation secret, or for some acts in the whole organization.
///
/// Keys that may do everything, or may make further credentials, in a whole organization are minted on the service's own
/// machine alone, so that a stolen one cannot breed. Nobody makes a key that may do more than himself.
package struct MintAPIKey: Sendable {
    package struct Request: Sendable, Hashable {
        package let label: String
        package let description: String?
        /// Nil asks for a key of the whole organization, which is refused unless it is narrowed to scopes.
        package let identityID: IdentityID?
        package let expiresAt: Timestamp?
        /// What the key is to be narrowed to; nil for everything that its owner may.
        package let scopes: [KeyScopeName]?
        /// From where it may be used; nil for everywhere.
        package let ranges: [AddressRange]?

        package init(
            label: String, description: String? = nil, identityID: IdentityID?, expiresAt: Timestamp? = nil,
            scopes: [KeyScopeName]? = nil, ranges: [AddressRange]? = nil
        ) {
            self.label = label
            self.description = description
            self.identityID = identityID
            self.expiresAt = expiresAt
            self.scopes = scopes
            self.ranges = ranges
        }
    }

    private let ports: ServicePorts
    private let limits: KeyLimits

    package init(ports: ServicePorts, limits: KeyLimits = KeyLimits()) {
        self.ports = ports
        self.limits = limits
    }

    package func decide(
        _ request: Request, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<NewAPIKey> {
        try call.require(.createIdentityKey)
        let identity = try owner(of: request, call, store)
        try check(request, at: now)
        let scopes = try request.scopes.map {
            try store.scopes(named: $0, of: call.organizationID, identity?.id, at: now)
        }
        let bounds = KeyBounds(scopes: scopes, ranges: request.ranges ?? [])
        try call.requireNoExcess(of: identity.map { .identityKey($0.id) } ?? .adminKey, bounds)
        let new = APIKeyMaker(ports: ports).make(
            APIKeyMaker.Draft(
                organizationID: call.organizationID, identityID: identity?.id, label: request.label,
                description: request.description, expiresAt: request.expiresAt, bounds: bounds),
            createdBy: call.actor.id, .human, at: now)

        try store.insert(new.record)
        try AuditTrail(ports: ports).append(
            .keyCreate, .apiKey, new.record.idText, by: call, in: store, at: now,
            details: [.init("scoped_identity_id", identity?.id.text)] + bounds.auditDetails)
        return Change(new, events: [EventDraft(.keyCreated, new.record)])
    }

    /// The identity that the key is for, or nil for a key of the whole organization that may be made here.
    private func owner(
        of request: Request, _ call: CallContext, _ store: any StoreReading
    ) throws -> Identity? {
        if let id = request.identityID { return try call.identity(id, for: .createIdentityKey, in: store) }
        guard let scopes = request.scopes else { throw Refusal.adminKeyOverAPI }
        let making = scopes.makingScopes
        guard making.isEmpty else { throw Refusal.makingScopesOverAPI(making) }
        return nil
    }

    private func check(_ request: Request, at now: Timestamp) throws(Refusal) {
        do throws(APIKeyFieldError) {
            try APIKeyFields.check(label: request.label)
            try APIKeyFields.check(description: request.description)
            try APIKeyFields.check(expiresAt: request.expiresAt, at: now)
            if let scopes = request.scopes { try APIKeyFields.check(scopeCount: scopes.count, max: limits.scopesMax) }
            if let ranges = request.ranges { try APIKeyFields.check(rangeCount: ranges.count, max: limits.rangesMax) }
        } catch {
            throw .keyField(error)
        }
    }
}

extension [KeyScopeName] {
    /// Those among them that let a key make further credentials, each once.
    fileprivate var makingScopes: [KeyScope] {
        let words = Set(
            compactMap { name -> KeyScope? in
                switch name {
                case .word(let word): word
                case .connect: nil
                }
            })
        return KeyScope.allCases.filter { $0.makesCredentials && words.contains($0) }
    }
}
