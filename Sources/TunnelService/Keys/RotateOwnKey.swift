package import TunnelDomain
internal import TunnelWire

/// Lets an agent exchange its own key and rotation secret for new ones, both or neither (control plane, section 5).
///
/// The caller is not authenticated before: the key and the secret together are what is judged here.
package struct RotateOwnKey: Sendable {
    package struct Attempt: Sendable {
        /// The key as it was presented; an empty text when there was none.
        package let apiKey: String
        package let rotationSecret: String
        /// The caller's IP address without port.
        package let ip: String
        package let requestID: String

        package init(apiKey: String, rotationSecret: String, ip: String, requestID: String) {
            self.apiKey = apiKey
            self.rotationSecret = rotationSecret
            self.ip = ip
            self.requestID = requestID
        }
    }

    package struct Rotated: Sendable {
        package let key: NewAPIKey
        package let identity: Identity
    }

    /// A refusal is an outcome and no error: it is written to the audit trail.
    package enum Outcome: Sendable {
        case rotated(Rotated)
        case refused(Refusal)
    }

    /// What a secret is compared with when the key has none, so that both cases cost the same.
    private static let noHash = [UInt8](repeating: 0, count: 32)

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// The attempt as one that can be repeated; nil when nobody has the key.
    ///
    /// The old key's record outlives it, and the digest is made of the credentials themselves: so the answer to a rotation
    /// is found with the old credentials, and with nothing else.
    package func keyed(_ attempt: Attempt, _ key: IdempotencyKey) async throws -> KeyedRequest? {
        let keyHash = ports.hasher.hash(ofSecret: attempt.apiKey)
        let secretHash = ports.hasher.hash(ofSecret: attempt.rotationSecret)
        guard let record = try await ports.look({ store, _ in try store.apiKey(hash: keyHash) }),
            // A kept answer shows the new key: it is given only where the old one might be used.
            record.bounds.admits(attempt.ip)
        else { return nil }
        return KeyedRequest(
            organizationID: record.organizationID, key: key,
            fingerprint: ports.hasher.sha256(Array("rotate-key\n".utf8) + keyHash + secretHash))
    }

    /// - Parameter requireFreeKey: Throws when the attempt's idempotency key is used; asked only of right credentials, so
    ///   that others do not learn which keys an organization has used.
    package func decide(
        _ attempt: Attempt, in store: any StoreWriting, at now: Timestamp,
        requireFreeKey: (any StoreReading) throws -> Void = { _ in }
    ) throws -> Change<Outcome> {
        let record = try store.apiKey(hash: ports.hasher.hash(ofSecret: attempt.apiKey))
        let secretHash = ports.hasher.hash(ofSecret: attempt.rotationSecret)
        let secretMatches = constantTimeEquals(secretHash, record?.rotationSecretHash ?? Self.noHash)
        let identity = try store.identity(record?.scopedIdentityID ?? IdentityID(UUIDValue(high: 0, low: 0)))
        let decision = SelfRotationDecision(
            standing: record?.standingForAgent(at: now), hasSecret: record?.rotationSecretHash != nil,
            secretMatches: secretMatches)
        guard let record else { return try refuseStranger(in: store) }
        switch decision {
        case .refuseCredential: return try refuse(.wrongAgentCredentials, record, attempt, in: store, at: now)
        case .refuseNoSecret: return try refuse(.noRotationSecret, record, attempt, in: store, at: now)
        case .refuseRevoked: return try refuse(.agentRevoked, record, attempt, in: store, at: now)
        case .rotate:
            guard let identity, identity.isLiving else { return try refuse(.agentRevoked, record, attempt, in: store, at: now) }
            guard record.bounds.admits(attempt.ip) else {
                return try refuse(.addressNotAllowed(attempt.ip), record, attempt, in: store, at: now)
            }
            try requireFreeKey(store)
            return try rotate(record, of: identity, attempt, in: store, at: now)
        }
    }

    private func rotate(
        _ old: APIKeyRecord, of identity: Identity, _ attempt: Attempt, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Outcome> {
        let new = APIKeyMaker(ports: ports).make(
            APIKeyMaker.Draft(succeeding: old), createdBy: identity.id.text, .agent, at: now)
        var old = old
        old.end(at: now, replacedBy: new.record.id)
        try store.update(old)
        try store.insert(new.record)
        let actor = AuditActor(kind: .agent, id: identity.id.text, label: identity.handle.text)
        try audit(
            .keyRotate, new.record, by: actor, attempt, .success, [.init("replaced_api_key_id", old.idText)], in: store, at: now
        )
        return Change(
            .rotated(Rotated(key: new, identity: identity)), notices: [.keyEnded(old.id)],
            events: [EventDraft(.keyRotated, new.record, adding: [.init("replaced_api_key_id", old.idText)])])
    }
}

// MARK: - Refusing

extension RotateOwnKey {
    private func refuse(
        _ refusal: Refusal, _ record: APIKeyRecord, _ attempt: Attempt, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Outcome> {
        try audit(.authFail, record, by: record.actor, attempt, .refused, [.init("call", "key.rotate")], in: store, at: now)
        return Change(.refused(refusal))
    }

    /// Nobody's key belongs into nobody's trail; but a commit that writes takes longer than one that does not, and must not
    /// tell whether a key exists. What is written is what was there.
    private func refuseStranger(in store: any StoreWriting) throws -> Change<Outcome> {
        if let head = try store.auditHead() { try store.putAuditHead(head) }
        return Change(.refused(.wrongAgentCredentials))
    }

    private func audit(
        _ action: AuditAction, _ key: APIKeyRecord, by actor: AuditActor, _ attempt: Attempt, _ outcome: AuditOutcome,
        _ details: [EventDraft.Member], in store: any StoreWriting, at now: Timestamp
    ) throws {
        let trail = AuditTrail(ports: ports)
        try trail.append(
            AuditEntry(
                id: trail.newID(), occurredAt: now, action: action, organizationID: key.organizationID, actor: actor,
                resourceType: .apiKey, resourceID: key.idText, ip: attempt.ip, requestID: attempt.requestID,
                outcome: outcome, detailsJSON: JSONWriter.object(of: details)),
            in: store)
    }
}

extension APIKeyRecord {
    /// One that goes on beside its successor is rotated no further: the pair of the last rotation is the one that counts.
    fileprivate func standingForAgent(at now: Timestamp) -> KeyStanding { replacedBy == nil ? standing(at: now) : .replaced }
}
