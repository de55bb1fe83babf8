internal import TunnelDomain

/// Writes audit entries, each bound to the one before it by a hash, so that a removed or changed line shows.
struct AuditTrail {
    let ports: ServicePorts

    /// Adds an entry about a tunnel.
    func append(
        _ action: AuditAction, of tunnel: Tunnel, by call: CallContext, in store: any StoreWriting, at now: Timestamp,
        detailsJSON: String = "{}"
    ) throws(StoreError) {
        try append(
            AuditEntry(
                id: newID(), occurredAt: now, action: action, organizationID: tunnel.organizationID, actor: call.actor,
                resourceType: .tunnel, resourceID: tunnel.id.text, ip: call.ip, requestID: call.requestID,
                detailsJSON: detailsJSON),
            in: store)
    }

    /// Adds an entry behind the newest one.
    func append(_ entry: AuditEntry, in store: any StoreWriting) throws(StoreError) {
        let previous = try store.lastAuditHash() ?? [UInt8](repeating: 0, count: 32)
        let hash = ports.hasher.sha256(previous + entry.canonicalBytes)
        try store.append(ChainedAuditEntry(entry: entry, previousHash: previous, hash: hash))
    }

    func newID() -> UUIDValue { UUIDValue(randomBytes: ports.randomness.bytes(16)) }
}

extension AuditEntry {
    /// Every field behind its length in four bytes, big-endian; an absent field has the length 2³²-1.
    package var canonicalBytes: [UInt8] {
        let fields: [String?] = [
            id.text, String(occurredAt.microsecondsSinceEpoch), action.rawValue, organizationID.text, actor.kind.rawValue,
            actor.id, actor.label, resourceType.rawValue, resourceID, ip, requestID, outcome.rawValue, detailsJSON,
        ]
        return fields.flatMap { field in
            let length = field.map { UInt32($0.utf8.count) } ?? .max
            return (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + Array((field ?? "").utf8)
        }
    }
}
