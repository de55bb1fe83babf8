internal import TunnelDomain
internal import TunnelService

/// Every question has one statement, and a test shows that none of them reads a whole table.
enum Query {
    static let tunnel = "SELECT \(TunnelRows.columns) FROM tunnels WHERE id = ?"
    static let tunnelByName = "SELECT \(TunnelRows.columns) FROM tunnels WHERE name = ? AND status <> 'deleted'"
    static let tunnelsOfOrganization = """
        SELECT \(TunnelRows.columns) FROM tunnels WHERE organization_id = ? AND status <> 'deleted' \
        ORDER BY created_at DESC, id DESC LIMIT ?
        """
    static let tunnelsBehind = """
        SELECT \(TunnelRows.columns) FROM tunnels WHERE organization_id = ? AND status <> 'deleted' \
        AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?
        """
    // The index keeps the deleted rows, which only grow in number, from being visited.
    static let livingTunnels = """
        SELECT \(TunnelRows.columns) FROM tunnels INDEXED BY living_tunnels_by_name WHERE status <> 'deleted'
        """
    static let tunnelsByDeadline = """
        SELECT \(TunnelRows.columns) FROM tunnels WHERE status = 'delete_pending' AND restore_deadline_at <= ? \
        ORDER BY restore_deadline_at LIMIT ?
        """
    static let organization = "SELECT created_at FROM organizations WHERE id = ?"
    static let tunnelOfIdentity = "SELECT \(TunnelRows.columns) FROM tunnels WHERE identity_id = ? AND status <> 'deleted'"
    static let identity = "SELECT \(IdentityRows.columns) FROM identities WHERE id = ?"
    static let identityByHandle = "SELECT \(IdentityRows.columns) FROM identities WHERE handle = ? AND deleted_at IS NULL"
    static let identitiesOfOrganization = """
        SELECT \(IdentityRows.columns) FROM identities WHERE organization_id = ? AND deleted_at IS NULL \
        ORDER BY created_at DESC, id DESC LIMIT ?
        """
    static let identitiesBehind = """
        SELECT \(IdentityRows.columns) FROM identities WHERE organization_id = ? AND deleted_at IS NULL \
        AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?
        """
    static let apiKey = "SELECT \(APIKeyRows.columns) FROM api_keys WHERE id = ?"
    static let apiKeysOfOrganization = """
        SELECT \(APIKeyRows.columns) FROM api_keys WHERE organization_id = ? ORDER BY created_at DESC, id DESC LIMIT ?
        """
    static let apiKeysBehind = """
        SELECT \(APIKeyRows.columns) FROM api_keys WHERE organization_id = ? AND (created_at, id) < (?, ?) \
        ORDER BY created_at DESC, id DESC LIMIT ?
        """
    static let openAPIKeysOfIdentity = """
        SELECT \(APIKeyRows.columns) FROM api_keys WHERE scoped_identity_id = ? AND revoked_at IS NULL
        """
    static let openAPIKeysByExpiry = """
        SELECT \(APIKeyRows.columns) FROM api_keys WHERE revoked_at IS NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?
        """
    static let apiKeyByHash = "SELECT \(APIKeyRows.columns) FROM api_keys WHERE hash = ?"
    static let successCount = "SELECT count(*) FROM successes WHERE action = ? AND subject = ? AND occurred_at > ?"
    static let successTime = """
        SELECT occurred_at FROM successes WHERE action = ? AND subject = ? AND occurred_at > ? \
        ORDER BY occurred_at LIMIT 1 OFFSET ?
        """
    static let replay = """
        SELECT fingerprint, status, sealed_body, created_at FROM replays WHERE organization_id = ? AND key = ?
        """
}

extension SQLiteTransaction: StoreReading {
    func tunnel(_ id: TunnelID) throws(StoreError) -> Tunnel? {
        try row(Query.tunnel, [.text(id.text)], TunnelRows.read)
    }

    func tunnel(named name: TunnelName) throws(StoreError) -> Tunnel? {
        try row(Query.tunnelByName, [.text(name.text)], TunnelRows.read)
    }

    func tunnels(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [Tunnel] {
        let values = listValues(organizationID, cursor, limit)
        return try rows(cursor == nil ? Query.tunnelsOfOrganization : Query.tunnelsBehind, values, TunnelRows.read)
    }

    private func listValues(_ organizationID: OrganizationID, _ cursor: ListCursor?, _ limit: Int?) -> [SQLValue] {
        let place = cursor.map { [SQLValue($0.createdAt), .text($0.id.text)] } ?? []
        // To SQLite a negative limit is none.
        return [.text(organizationID.text)] + place + [.integer(limit.map { Int64($0) } ?? -1)]
    }

    func tunnel(of identityID: IdentityID) throws(StoreError) -> Tunnel? {
        try row(Query.tunnelOfIdentity, [.text(identityID.text)], TunnelRows.read)
    }

    func identity(_ id: IdentityID) throws(StoreError) -> Identity? {
        try row(Query.identity, [.text(id.text)], IdentityRows.read)
    }

    func identity(named handle: AgentHandle) throws(StoreError) -> Identity? {
        try row(Query.identityByHandle, [.text(handle.text)], IdentityRows.read)
    }

    func identities(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [Identity] {
        let values = listValues(organizationID, cursor, limit)
        return try rows(cursor == nil ? Query.identitiesOfOrganization : Query.identitiesBehind, values, IdentityRows.read)
    }

    func livingTunnels() throws(StoreError) -> [Tunnel] {
        try rows(Query.livingTunnels, [], TunnelRows.read)
    }

    func tunnels(withDeadlineUpTo moment: Timestamp, limit: Int) throws(StoreError) -> [Tunnel] {
        try rows(Query.tunnelsByDeadline, [SQLValue(moment), SQLValue(limit)], TunnelRows.read)
    }

    func organization(_ id: OrganizationID) throws(StoreError) -> Organization? {
        try row(Query.organization, [.text(id.text)]) { Organization(id: id, createdAt: $0.time(0)) }
    }

    func apiKey(hash: [UInt8]) throws(StoreError) -> APIKeyRecord? {
        try row(Query.apiKeyByHash, [.blob(hash)], APIKeyRows.read)
    }

    func apiKey(_ id: UUIDValue) throws(StoreError) -> APIKeyRecord? {
        try row(Query.apiKey, [.text(id.text)], APIKeyRows.read)
    }

    func apiKeys(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [APIKeyRecord] {
        let values = listValues(organizationID, cursor, limit)
        return try rows(cursor == nil ? Query.apiKeysOfOrganization : Query.apiKeysBehind, values, APIKeyRows.read)
    }

    func openAPIKeys(of identityID: IdentityID) throws(StoreError) -> [APIKeyRecord] {
        try rows(Query.openAPIKeysOfIdentity, [.text(identityID.text)], APIKeyRows.read)
    }

    func openAPIKeys(expiringUpTo moment: Timestamp, limit: Int) throws(StoreError) -> [APIKeyRecord] {
        try rows(Query.openAPIKeysByExpiry, [SQLValue(moment), SQLValue(limit)], APIKeyRows.read)
    }

    func successCount(
        of action: CountedAction, for subject: String, after moment: Timestamp
    ) throws(StoreError) -> Int {
        let values = [.text(action.rawValue), .text(subject), SQLValue(moment)]
        return Int(try row(Query.successCount, values) { $0.integer(0) } ?? 0)
    }

    func successTime(
        of action: CountedAction, for subject: String, after moment: Timestamp, ordinal: Int
    ) throws(StoreError) -> Timestamp? {
        let values = [.text(action.rawValue), .text(subject), SQLValue(moment), SQLValue(ordinal)]
        return try row(Query.successTime, values) { $0.time(0) }
    }

    func replay(of key: String, for organizationID: OrganizationID) throws(StoreError) -> ReplayRecord? {
        try row(Query.replay, [.text(organizationID.text), .text(key)]) { row in
            ReplayRecord(
                organizationID: organizationID, key: key, fingerprint: row.blob(0), status: Int(row.integer(1)),
                sealedBody: row.blob(2), createdAt: row.time(3))
        }
    }
}
