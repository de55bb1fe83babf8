package import TunnelDomain

/// What can be asked about the audit trail.
package protocol AuditReading {
    /// The place of the newest line, or nil when there is none.
    func lastAuditPlace() throws(StoreError) -> AuditPlace?

    /// What was last given to `putAuditHead`, or nil.
    func auditHead() throws(StoreError) -> [UInt8]?

    /// The organization's lines that the filter lets through, newest first (by time, then by sequence, both falling), behind
    /// the cursor and at most `limit` of them.
    func auditLines(
        of organizationID: OrganizationID, matching filter: AuditFilter, after cursor: AuditCursor?, limit: Int
    ) throws(StoreError) -> [AuditLine]
}

/// What can be changed about the audit trail: it grows, and nothing else.
package protocol AuditWriting: AuditReading {
    /// Adds a line; its sequence must be larger than every other one's.
    func append(_ entry: ChainedAuditEntry) throws(StoreError)

    /// Keeps the sealed head in place of the one before.
    func putAuditHead(_ sealed: [UInt8]) throws(StoreError)
}

/// A line's place in the chain.
package struct AuditPlace: Sendable, Hashable {
    package let sequence: Int64
    /// 32 bytes.
    package let hash: [UInt8]

    package init(sequence: Int64, hash: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
    }

    /// Before the first line: 0, and 32 zero bytes.
    package static let start = AuditPlace(sequence: 0, hash: [UInt8](repeating: 0, count: 32))
}

/// Which lines of the trail are asked for; what is nil does not restrict.
package struct AuditFilter: Sendable, Hashable {
    package var actorID: String?
    package var action: AuditAction?
    package var resourceID: String?
    /// The first moment that counts.
    package var since: Timestamp?
    /// The first moment that counts no more.
    package var until: Timestamp?

    package init(
        actorID: String? = nil, action: AuditAction? = nil, resourceID: String? = nil, since: Timestamp? = nil,
        until: Timestamp? = nil
    ) {
        self.actorID = actorID
        self.action = action
        self.resourceID = resourceID
        self.since = since
        self.until = until
    }

    package func matches(_ line: AuditLine) -> Bool {
        (actorID ?? line.actorID) == line.actorID && (action?.rawValue ?? line.action) == line.action
            && (resourceID ?? line.resourceID) == line.resourceID && since.map { line.occurredAt >= $0 } != false
            && until.map { line.occurredAt < $0 } != false
    }
}

/// A place in a list of lines, newest first: behind the line with this time and sequence.
package struct AuditCursor: Sendable, Hashable {
    package let occurredAt: Timestamp
    package let sequence: Int64

    package init(occurredAt: Timestamp, sequence: Int64) {
        self.occurredAt = occurredAt
        self.sequence = sequence
    }

    package init(behind line: AuditLine) { self.init(occurredAt: line.occurredAt, sequence: line.sequence) }

    /// Whether a line comes after this place.
    package func precedes(_ line: AuditLine) -> Bool {
        (line.occurredAt, line.sequence) < (occurredAt, sequence)
    }
}
