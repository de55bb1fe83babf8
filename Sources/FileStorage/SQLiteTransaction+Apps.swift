internal import TunnelDomain
internal import TunnelService

extension Query {
    static let app = "SELECT \(AppRows.columns) FROM apps WHERE id = ?"
    static let appsOfOrganization = """
        SELECT \(AppRows.columns) FROM apps WHERE organization_id = ? ORDER BY created_at DESC, id DESC LIMIT ?
        """
    static let appsBehind = """
        SELECT \(AppRows.columns) FROM apps WHERE organization_id = ? AND (created_at, id) < (?, ?) \
        ORDER BY created_at DESC, id DESC LIMIT ?
        """
    static let appCount = "SELECT count(*) FROM apps WHERE organization_id = ?"
}

extension Change {
    static let insertApp = "INSERT INTO apps (\(AppRows.columns)) VALUES (\(placeholders(11)))"
    static let updateApp = "UPDATE apps SET (\(AppRows.columns)) = (\(placeholders(11))) WHERE id = ?"
    static let touchApp = "UPDATE apps SET last_used_at = ? WHERE id = ?"
    static let deleteApp = "DELETE FROM apps WHERE id = ?"
}

extension SQLiteTransaction: AppWriting {
    func app(_ id: AppID) throws(StoreError) -> AppRecord? { try row(Query.app, [.text(id.text)], AppRows.read) }

    func apps(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [AppRecord] {
        let place = cursor.map { [SQLValue($0.createdAt), .text(AppID($0.id).text)] } ?? []
        // To SQLite a negative limit is none.
        let values = [.text(organizationID.text)] + place + [.integer(limit.map { Int64($0) } ?? -1)]
        return try rows(cursor == nil ? Query.appsOfOrganization : Query.appsBehind, values, AppRows.read)
    }

    func appCount(of organizationID: OrganizationID) throws(StoreError) -> Int {
        Int(try row(Query.appCount, [.text(organizationID.text)]) { $0.integer(0) } ?? 0)
    }

    func insert(_ app: AppRecord) throws(StoreError) { try change(Change.insertApp, AppRows.values(app)) }

    func update(_ app: AppRecord) throws(StoreError) {
        try change(Change.updateApp, AppRows.values(app) + [.text(app.id.text)])
    }

    func touchApp(_ id: AppID, at now: Timestamp) throws(StoreError) {
        try change(Change.touchApp, [SQLValue(now), .text(id.text)])
    }

    func deleteApp(_ id: AppID) throws(StoreError) { try change(Change.deleteApp, [.text(id.text)]) }
}
