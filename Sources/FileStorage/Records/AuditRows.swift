internal import TunnelDomain
internal import TunnelService

/// Audit entries as rows; their sequence number is the table's own.
enum AuditRows {
    /// In the order of `values`.
    static let columns = """
        id, occurred_at, action, organization_id, actor_kind, actor_id, actor_label, resource_type, resource_id, ip, \
        request_id, outcome, details, previous_hash, hash
        """

    static func values(_ chained: ChainedAuditEntry) -> [SQLValue] {
        let entry = chained.entry
        return [
            .text(entry.id.text), SQLValue(entry.occurredAt), .text(entry.action.rawValue),
            .text(entry.organizationID.text), .text(entry.actor.kind.rawValue), .text(entry.actor.id),
            .text(entry.actor.label), .text(entry.resourceType.rawValue), .text(entry.resourceID), SQLValue(entry.ip),
            SQLValue(entry.requestID), .text(entry.outcome.rawValue), .text(entry.detailsJSON),
            .blob(chained.previousHash), .blob(chained.hash),
        ]
    }
}
