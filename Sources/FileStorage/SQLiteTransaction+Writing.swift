internal import TunnelDomain
internal import TunnelService

/// Every change has one statement.
enum Change {
    static let insertTunnel = "INSERT INTO tunnels (\(TunnelRows.columns)) VALUES (\(placeholders(20)))"
    static let updateTunnel = "UPDATE tunnels SET (\(TunnelRows.columns)) = (\(placeholders(20))) WHERE id = ?"
    static let insertOrganization = "INSERT INTO organizations (id, created_at) VALUES (?, ?)"
    static let insertIdentity = "INSERT INTO identities (\(IdentityRows.columns)) VALUES (\(placeholders(10)))"
    static let updateIdentity = "UPDATE identities SET (\(IdentityRows.columns)) = (\(placeholders(10))) WHERE id = ?"
    static let insertAPIKey = "INSERT INTO api_keys (\(APIKeyRows.columns)) VALUES (\(placeholders(19)))"
    static let updateAPIKey = "UPDATE api_keys SET (\(APIKeyRows.columns)) = (\(placeholders(19))) WHERE id = ?"
    static let touchAPIKey = "UPDATE api_keys SET last_used_at = ? WHERE id = ?"
    static let insertSuccess = "INSERT INTO successes (action, subject, occurred_at) VALUES (?, ?, ?)"
    static let putReplay = """
        INSERT OR REPLACE INTO replays (organization_id, key, fingerprint, status, sealed_body, created_at) \
        VALUES (\(placeholders(6)))
        """
    static let forgetSuccesses = "DELETE FROM successes WHERE occurred_at <= ?"
    static let forgetReplays = "DELETE FROM replays WHERE created_at <= ?"

    static func placeholders(_ count: Int) -> String {
        repeatElement("?", count: count).joined(separator: ", ")
    }
}

extension SQLiteTransaction: StoreWriting {
    func insert(_ tunnel: Tunnel) throws(StoreError) {
        try change(Change.insertTunnel, TunnelRows.values(tunnel))
    }

    func update(_ tunnel: Tunnel) throws(StoreError) {
        try change(Change.updateTunnel, TunnelRows.values(tunnel) + [.text(tunnel.id.text)])
    }

    func insert(_ organization: Organization) throws(StoreError) {
        try change(Change.insertOrganization, [.text(organization.id.text), SQLValue(organization.createdAt)])
    }

    func insert(_ identity: Identity) throws(StoreError) {
        try change(Change.insertIdentity, IdentityRows.values(identity))
    }

    func update(_ identity: Identity) throws(StoreError) {
        try change(Change.updateIdentity, IdentityRows.values(identity) + [.text(identity.id.text)])
    }

    func insert(_ apiKey: APIKeyRecord) throws(StoreError) {
        try change(Change.insertAPIKey, APIKeyRows.values(apiKey))
    }

    func update(_ apiKey: APIKeyRecord) throws(StoreError) {
        try change(Change.updateAPIKey, APIKeyRows.values(apiKey) + [.text(apiKey.id.text)])
    }

    func touchAPIKey(_ id: UUIDValue, at now: Timestamp) throws(StoreError) {
        try change(Change.touchAPIKey, [SQLValue(now), .text(id.text)])
    }

    func recordSuccess(of action: CountedAction, for subject: String, at now: Timestamp) throws(StoreError) {
        try change(Change.insertSuccess, [.text(action.rawValue), .text(subject), SQLValue(now)])
    }

    func put(_ replay: ReplayRecord) throws(StoreError) {
        try change(
            Change.putReplay,
            [
                .text(replay.organizationID.text), .text(replay.key), .blob(replay.fingerprint), SQLValue(replay.status),
                .blob(replay.sealedBody), SQLValue(replay.createdAt),
            ])
    }

    func forgetSuccesses(upTo moment: Timestamp) throws(StoreError) {
        try change(Change.forgetSuccesses, [SQLValue(moment)])
    }

    func forgetReplays(upTo moment: Timestamp) throws(StoreError) {
        try change(Change.forgetReplays, [SQLValue(moment)])
    }
}
