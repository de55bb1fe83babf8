package import TunnelDomain

/// What can be asked about apps.
package protocol AppReading {
    func app(_ id: AppID) throws(StoreError) -> AppRecord?

    /// The organization's apps, newest first (by creation, then by id, both falling), behind the cursor and at most `limit` of
    /// them; nil for all.
    func apps(of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?) throws(StoreError) -> [AppRecord]

    func appCount(of organizationID: OrganizationID) throws(StoreError) -> Int
}

/// What can be changed about apps.
package protocol AppWriting: AppReading {
    /// Adds an app; its id must be new.
    func insert(_ app: AppRecord) throws(StoreError)

    /// Replaces the app with this id.
    func update(_ app: AppRecord) throws(StoreError)

    /// Remembers the app's last use.
    func touchApp(_ id: AppID, at now: Timestamp) throws(StoreError)

    /// Forgets the app; the audit trail remembers it.
    func deleteApp(_ id: AppID) throws(StoreError)
}
