internal import TunnelDomain
internal import TunnelWire

/// Writes audit entries, each bound to the one before it by a hash, so that a removed or changed line shows.
struct AuditTrail {
    let ports: ServicePorts

    /// Adds an entry about a tunnel.
    func append(
        _ action: AuditAction, of tunnel: Tunnel, by call: CallContext, in store: any StoreWriting, at now: Timestamp,
        detailsJSON: String = "{}"
    ) throws {
        try append(
            AuditEntry(
                id: newID(), occurredAt: now, action: action, organizationID: tunnel.organizationID, actor: call.actor,
                resourceType: .tunnel, resourceID: tunnel.id.text, ip: call.ip, requestID: call.requestID,
                detailsJSON: detailsJSON),
            in: store)
    }

    /// Adds an entry about something else than a tunnel; the details hold no secret.
    func append(
        _ action: AuditAction, _ type: AuditResourceType, _ id: String, by call: CallContext, in store: any StoreWriting,
        at now: Timestamp, details: [EventDraft.Member] = []
    ) throws {
        try append(
            AuditEntry(
                id: newID(), occurredAt: now, action: action, organizationID: call.organizationID, actor: call.actor,
                resourceType: type, resourceID: id, ip: call.ip, requestID: call.requestID,
                detailsJSON: JSONWriter.object(of: details)),
            in: store)
    }

    /// Adds an entry behind the newest one.
    ///
    /// It is bound to what the sealed head says was the newest one. If lines were cut off the end meanwhile, their gap stays.
    func append(_ entry: AuditEntry, in store: any StoreWriting) throws {
        let last = try store.lastAuditPlace() ?? .start
        let head = try store.auditHead().flatMap { AuditHead.open($0, with: ports.sealer) }
        if head == nil, last != .start {
            // Without a head nobody can tell whether the trail is whole; let the trail itself say so for ever.
            let place = try chain(.lostHead(newID(), before: entry), behind: last, last, in: store)
            _ = try chain(entry, behind: place, place, in: store)
        } else {
            _ = try chain(entry, behind: head ?? last, last, in: store)
        }
    }

    private func chain(
        _ entry: AuditEntry, behind head: AuditPlace, _ last: AuditPlace, in store: any StoreWriting
    ) throws -> AuditPlace {
        let hash = ports.hasher.sha256(head.hash + entry.canonicalBytes)
        let place = AuditPlace(sequence: max(head.sequence, last.sequence) + 1, hash: hash)
        try store.append(
            ChainedAuditEntry(sequence: place.sequence, entry: entry, previousHash: head.hash, hash: hash))
        try store.putAuditHead(AuditHead.seal(place, with: ports.sealer))
        return place
    }

    func newID() -> UUIDValue { UUIDValue(randomBytes: ports.randomness.bytes(16)) }
}

extension AuditEntry {
    /// What the hash is made over, behind the previous hash; see `AuditLine.canonicalBytes`.
    package var canonicalBytes: [UInt8] {
        AuditLine(ChainedAuditEntry(sequence: 0, entry: self, previousHash: [], hash: [])).canonicalBytes
    }

    fileprivate static func lostHead(_ id: UUIDValue, before next: AuditEntry) -> AuditEntry {
        AuditEntry(
            id: id, occurredAt: next.occurredAt, action: .auditBreak, organizationID: next.organizationID, actor: .system,
            resourceType: .organization, resourceID: next.organizationID.text, ip: nil, requestID: next.requestID,
            detailsJSON: #"{"reason":"the sealed head of the trail was missing or unreadable"}"#)
    }
}
