internal import TunnelDomain
internal import TunnelService

/// Apps as rows.
enum AppRows {
    /// In the order of `read` and `values`.
    static let columns = """
        id, organization_id, name, scopes, secret_hash, secret_last4, created_by, created_at, updated_at, \
        secret_rotated_at, last_used_at
        """

    static func read(_ row: SQLRow) throws(SQLiteFailure) -> AppRecord {
        AppRecord(
            id: try readable(AppID(row.text(0)), "apps", "id"),
            organizationID: try readable(OrganizationID(row.text(1)), "apps", "organization_id"),
            name: row.text(2), scopes: try readable(Set<Scope>(text: row.text(3)), "apps", "scopes"),
            secretHash: row.blob(4), secretLast4: row.text(5), createdBy: row.text(6), createdAt: row.time(7),
            updatedAt: row.time(8), secretRotatedAt: row.timeOrNil(9), lastUsedAt: row.timeOrNil(10))
    }

    static func values(_ app: AppRecord) -> [SQLValue] {
        [
            .text(app.id.text), .text(app.organizationID.text), .text(app.name), .text(app.scopes.text),
            .blob(app.secretHash), .text(app.secretLast4), .text(app.createdBy), SQLValue(app.createdAt),
            SQLValue(app.updatedAt), SQLValue(app.secretRotatedAt), SQLValue(app.lastUsedAt),
        ]
    }
}
