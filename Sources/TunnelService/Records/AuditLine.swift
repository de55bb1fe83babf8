package import TunnelDomain

/// A line of the trail as it was read back: in texts, for a store may hold words that this version does not know, or that
/// somebody has put there.
package struct AuditLine: Sendable, Hashable {
    /// Its place in the trail of all organizations, from 1; an organization sees gaps where others acted.
    package var sequence: Int64
    package var id: String
    package var occurredAt: Timestamp
    package var action: String
    package var organizationID: String
    package var actorKind: String
    package var actorID: String
    package var actorLabel: String
    package var resourceType: String
    package var resourceID: String
    package var ip: String?
    package var requestID: String?
    package var outcome: String
    package var detailsJSON: String
    package var previousHash: [UInt8]
    package var hash: [UInt8]

    package init(
        sequence: Int64, id: String, occurredAt: Timestamp, action: String, organizationID: String, actorKind: String,
        actorID: String, actorLabel: String, resourceType: String, resourceID: String, ip: String?, requestID: String?,
        outcome: String, detailsJSON: String, previousHash: [UInt8], hash: [UInt8]
    ) {
        self.sequence = sequence
        self.id = id
        self.occurredAt = occurredAt
        self.action = action
        self.organizationID = organizationID
        self.actorKind = actorKind
        self.actorID = actorID
        self.actorLabel = actorLabel
        self.resourceType = resourceType
        self.resourceID = resourceID
        self.ip = ip
        self.requestID = requestID
        self.outcome = outcome
        self.detailsJSON = detailsJSON
        self.previousHash = previousHash
        self.hash = hash
    }

    /// The line that an entry becomes.
    package init(_ chained: ChainedAuditEntry) {
        let entry = chained.entry
        self.init(
            sequence: chained.sequence, id: entry.id.text, occurredAt: entry.occurredAt, action: entry.action.rawValue,
            organizationID: entry.organizationID.text, actorKind: entry.actor.kind.rawValue, actorID: entry.actor.id,
            actorLabel: entry.actor.label, resourceType: entry.resourceType.rawValue, resourceID: entry.resourceID,
            ip: entry.ip, requestID: entry.requestID, outcome: entry.outcome.rawValue, detailsJSON: entry.detailsJSON,
            previousHash: chained.previousHash, hash: chained.hash)
    }
}

extension AuditLine {
    /// What the hash is made over, behind the previous hash: every field behind its length in four bytes, big-endian; an
    /// absent field has the length 2³²-1.
    ///
    /// The order is id, microseconds since 1970 in decimal, action, organization, the actor's kind, id and label, the
    /// resource's type and id, IP address, request id, outcome, details as they are stored.
    package var canonicalBytes: [UInt8] {
        let fields: [String?] = [
            id, String(occurredAt.microsecondsSinceEpoch), action, organizationID, actorKind, actorID, actorLabel,
            resourceType, resourceID, ip, requestID, outcome, detailsJSON,
        ]
        return fields.flatMap { field in
            let length = field.map { UInt32($0.utf8.count) } ?? .max
            return length.bigEndianBytes + Array((field ?? "").utf8)
        }
    }
}

extension FixedWidthInteger {
    /// Its bytes, most significant first.
    var bigEndianBytes: [UInt8] {
        (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> (Self.bitWidth - 8 - 8 * $0)) }
    }
}
