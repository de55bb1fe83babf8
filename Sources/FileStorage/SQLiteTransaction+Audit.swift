internal import TunnelDomain
internal import TunnelService

extension Query {
    static let lastAuditPlace = "SELECT sequence, hash FROM audit_entries ORDER BY sequence DESC LIMIT 1"
    static let auditHead = "SELECT sealed FROM audit_head WHERE id = 1"
    static let auditLinesInOrder = """
        SELECT \(AuditRows.columns) FROM audit_entries WHERE sequence > ? ORDER BY sequence LIMIT ?
        """

    /// The statement for one combination of filters; the index holds everything that is asked for in the order of the answer,
    /// but that a resource's lines are looked through for an actor or an action.
    static func auditLines(byActor: Bool, byAction: Bool, byResource: Bool) -> String {
        let index =
            switch (byActor, byAction, byResource) {
            case (_, _, true): "audit_entries_by_resource"
            case (true, true, false): "audit_entries_by_actor_and_action"
            case (true, false, false): "audit_entries_by_actor"
            case (false, true, false): "audit_entries_by_action"
            case (false, false, false): "audit_entries_by_time"
            }
        let conditions = [
            byActor ? " AND actor_id = ?" : "", byAction ? " AND action = ?" : "", byResource ? " AND resource_id = ?" : "",
        ]
        return """
            SELECT \(AuditRows.columns) FROM audit_entries INDEXED BY \(index) \
            WHERE organization_id = ?\(conditions.joined()) AND occurred_at >= ? AND (occurred_at, sequence) < (?, ?) \
            ORDER BY occurred_at DESC, sequence DESC LIMIT ?
            """
    }
}

extension Change {
    static let insertAuditEntry = "INSERT INTO audit_entries (\(AuditRows.columns)) VALUES (\(placeholders(16)))"
    static let putAuditHead = "INSERT OR REPLACE INTO audit_head (id, sealed) VALUES (1, ?)"
}

extension SQLiteTransaction: AuditWriting {
    func lastAuditPlace() throws(StoreError) -> AuditPlace? {
        try row(Query.lastAuditPlace, []) { AuditPlace(sequence: $0.integer(0), hash: $0.blob(1)) }
    }

    func auditHead() throws(StoreError) -> [UInt8]? { try row(Query.auditHead, []) { $0.blob(0) } }

    func auditLines(
        of organizationID: OrganizationID, matching filter: AuditFilter, after cursor: AuditCursor?, limit: Int
    ) throws(StoreError) -> [AuditLine] {
        let sql = Query.auditLines(
            byActor: filter.actorID != nil, byAction: filter.action != nil, byResource: filter.resourceID != nil)
        let filters = [filter.actorID, filter.action?.rawValue, filter.resourceID].compactMap { $0.map(SQLValue.text) }
        let since = filter.since?.microsecondsSinceEpoch ?? .min
        // Behind the cursor and before the end, whichever comes first.
        let end = (filter.until?.microsecondsSinceEpoch ?? .max, Int64.min)
        let place = cursor.map { ($0.occurredAt.microsecondsSinceEpoch, $0.sequence) } ?? (.max, .max)
        let bound = end < place ? end : place
        return try rows(
            sql,
            [.text(organizationID.text)] + filters
                + [.integer(since), .integer(bound.0), .integer(bound.1), SQLValue(limit)],
            AuditRows.read)
    }

    func append(_ entry: ChainedAuditEntry) throws(StoreError) {
        try change(Change.insertAuditEntry, AuditRows.values(AuditLine(entry)))
    }

    func putAuditHead(_ sealed: [UInt8]) throws(StoreError) { try change(Change.putAuditHead, [.blob(sealed)]) }
}
