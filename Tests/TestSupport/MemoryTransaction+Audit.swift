internal import TunnelDomain
internal import TunnelService

extension MemoryTransaction: AuditWriting {
    func lastAuditPlace() throws(StoreError) -> AuditPlace? {
        tables.audit.last.map { AuditPlace(sequence: $0.sequence, hash: $0.hash) }
    }

    func auditHead() throws(StoreError) -> [UInt8]? { tables.auditHead }

    func auditLines(
        of organizationID: OrganizationID, matching filter: AuditFilter, after cursor: AuditCursor?, limit: Int
    ) throws(StoreError) -> [AuditLine] {
        let found = tables.audit.map(AuditLine.init)
            .filter { $0.organizationID == organizationID.text && filter.matches($0) && cursor?.precedes($0) != false }
            .sorted { ($0.occurredAt, $0.sequence) > ($1.occurredAt, $1.sequence) }
        return Array(found.prefix(limit))
    }

    func append(_ entry: ChainedAuditEntry) throws(StoreError) {
        if let last = tables.audit.last, entry.sequence <= last.sequence { throw .constraint("the line's sequence is taken") }
        tables.audit.append(entry)
    }

    func putAuditHead(_ sealed: [UInt8]) throws(StoreError) { tables.auditHead = sealed }
}
