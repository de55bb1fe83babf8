internal import TunnelDomain
internal import TunnelService

extension MemoryTransaction: AppWriting {
    func app(_ id: AppID) throws(StoreError) -> AppRecord? { tables.apps[id] }

    func apps(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [AppRecord] {
        let behind = tables.apps.values
            .filter {
                $0.organizationID == organizationID && cursor?.precedes(createdAt: $0.createdAt, id: $0.id.value) != false
            }
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return Array(behind.prefix(limit ?? behind.count))
    }

    func appCount(of organizationID: OrganizationID) throws(StoreError) -> Int {
        tables.apps.values.count { $0.organizationID == organizationID }
    }

    func insert(_ app: AppRecord) throws(StoreError) {
        guard tables.apps[app.id] == nil else { throw .constraint("the app's id is taken") }
        guard tables.organizations[app.organizationID] != nil else { throw .constraint("there is no such organization") }
        tables.apps[app.id] = app
    }

    func update(_ app: AppRecord) throws(StoreError) {
        guard tables.apps[app.id] != nil else { return }
        tables.apps[app.id] = app
    }

    func touchApp(_ id: AppID, at now: Timestamp) throws(StoreError) { tables.apps[id]?.lastUsedAt = now }

    func deleteApp(_ id: AppID) throws(StoreError) { tables.apps[id] = nil }
}
