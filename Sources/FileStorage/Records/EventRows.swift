internal import TunnelDomain
internal import TunnelService

/// Events as rows; their sequence number is the table's own.
enum EventRows {
    /// In the order of `values`.
    static let columns = "id, occurred_at, type, organization_id, identity_id, tunnel_id, data"

    static func values(_ event: EventRecord) -> [SQLValue] {
        [
            .text(event.id.text), SQLValue(event.occurredAt), .text(event.type.rawValue), .text(event.organizationID.text),
            SQLValue(event.identityID?.text), SQLValue(event.tunnelID?.text), .text(event.dataJSON),
        ]
    }

    /// Takes the sequence number before the columns.
    static func read(_ row: SQLRow) throws(SQLiteFailure) -> EventRecord {
        EventRecord(
            sequence: row.integer(0), id: try readable(UUIDValue(row.text(1)), "events", "id"), occurredAt: row.time(2),
            type: try readable(EventType(rawValue: row.text(3)), "events", "type"),
            organizationID: try readable(OrganizationID(row.text(4)), "events", "organization_id"),
            identityID: row.isNull(5) ? nil : try readable(IdentityID(row.text(5)), "events", "identity_id"),
            tunnelID: row.isNull(6) ? nil : try readable(TunnelID(row.text(6)), "events", "tunnel_id"),
            dataJSON: row.text(7))
    }
}
