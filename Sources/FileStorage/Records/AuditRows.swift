internal import TunnelService

/// Lines of the audit trail as rows.
enum AuditRows {
    /// In the order of `read` and `values`.
    static let columns = """
        sequence, id, occurred_at, action, organization_id, actor_kind, actor_id, actor_label, resource_type, resource_id, \
        ip, request_id, outcome, details, previous_hash, hash
        """

    static func read(_ row: SQLRow) -> AuditLine {
        AuditLine(
            sequence: row.integer(0), id: row.text(1), occurredAt: row.time(2), action: row.text(3),
            organizationID: row.text(4), actorKind: row.text(5), actorID: row.text(6), actorLabel: row.text(7),
            resourceType: row.text(8), resourceID: row.text(9), ip: row.textOrNil(10), requestID: row.textOrNil(11),
            outcome: row.text(12), detailsJSON: row.text(13), previousHash: row.blob(14), hash: row.blob(15))
    }

    static func values(_ line: AuditLine) -> [SQLValue] {
        [
            .integer(line.sequence), .text(line.id), SQLValue(line.occurredAt), .text(line.action),
            .text(line.organizationID), .text(line.actorKind), .text(line.actorID), .text(line.actorLabel),
            .text(line.resourceType), .text(line.resourceID), SQLValue(line.ip), SQLValue(line.requestID),
            .text(line.outcome), .text(line.detailsJSON), .blob(line.previousHash), .blob(line.hash),
        ]
    }
}
