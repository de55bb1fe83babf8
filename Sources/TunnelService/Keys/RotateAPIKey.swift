package import TunnelDomain

/// Puts a new key, shown once, in the place of another one, at once or with an overlap in which both count.
///
/// The new key belongs to whom the old one belonged to and is narrowed in the same way. Agents that the old key connected
/// stay until it ends.
package struct RotateAPIKey: Sendable {
    package struct Rotated: Sendable {
        package let new: NewAPIKey
        /// The old key as it is now.
        package let old: APIKeyRecord
        package let rateLimit: RateLimitReport
    }

    private let ports: ServicePorts
    private let rules: ServiceRules

    package init(ports: ServicePorts, rules: ServiceRules) {
        self.ports = ports
        self.rules = rules
    }

    package func decide(
        _ id: UUIDValue?, overlap: KeyOverlap, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Rotated> {
        var old = try call.apiKey(id, for: .rotateKey, in: store)
        guard old.isMintableOverAPI else { throw Refusal.adminKeyRotation }
        try call.requireNoExcess(of: old.ownerKind, old.bounds)
        let decision = KeyRotationDecision(
            standing: old.standing(at: now), hasSuccessor: old.replacedBy != nil, expiresAt: old.expiresAt, overlap: overlap,
            at: now)
        let new = APIKeyMaker(ports: ports).make(
            APIKeyMaker.Draft(succeeding: old), createdBy: call.actor.id, .human, at: now)
        var notices: [ServiceNotice] = []
        switch decision {
        case .refuseEnded: throw Refusal.keyHasEnded
        case .refuseRotated: throw old.replacedBy.map { Refusal.keyIsRotated(into: $0) } ?? .keyHasEnded
        case .replace:
            old.end(at: now, replacedBy: new.record.id)
            notices = [.keyEnded(old.id)]
        case .overlap(let end): old.overlap(until: end, replacedBy: new.record.id, at: now)
        }
        let subject = old.scopedIdentityID?.text ?? old.organizationID.text
        let report = try rules.requireRoom(for: .keyRotate, of: subject, in: store, at: now)

        try store.update(old)
        try store.insert(new.record)
        try store.recordSuccess(of: .keyRotate, for: subject, at: now)
        let details = [
            EventDraft.Member("replaced_api_key_id", old.idText),
            EventDraft.Member("replaced_expires_at", (old.revokedAt ?? old.expiresAt)?.iso8601),
        ]
        try AuditTrail(ports: ports).append(
            .keyRotate, .apiKey, new.record.idText, by: call, in: store, at: now, details: details)
        return Change(
            Rotated(new: new, old: old, rateLimit: report), notices: notices,
            events: [EventDraft(.keyRotated, new.record, adding: details)])
    }
}

extension APIKeyRecord {
    /// Whether such a key is made over the API.
    fileprivate var isMintableOverAPI: Bool {
        guard scopedIdentityID == nil else { return true }
        return bounds.scopes.map { !$0.words.contains(where: \.makesCredentials) } ?? false
    }
}
