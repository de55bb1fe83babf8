internal import TunnelDomain
internal import TunnelService

/// One transaction on a copy of the rows.
final class MemoryTransaction {
    var tables: MemoryTables

    init(_ tables: MemoryTables) { self.tables = tables }
}

extension MemoryTransaction: StoreReading {
    func tunnel(_ id: TunnelID) throws(StoreError) -> Tunnel? { tables.tunnels[id] }

    func tunnel(named name: TunnelName) throws(StoreError) -> Tunnel? {
        try livingTunnels().first { $0.name == name }
    }

    func tunnels(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [Tunnel] {
        let behind = try livingTunnels()
            .filter {
                $0.organizationID == organizationID && cursor?.precedes(createdAt: $0.createdAt, id: $0.id.value) != false
            }
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return Array(behind.prefix(limit ?? behind.count))
    }

    func livingTunnels() throws(StoreError) -> [Tunnel] {
        tables.tunnels.values.filter { $0.storedState.status != .deleted }
    }

    func tunnels(withDeadlineUpTo moment: Timestamp, limit: Int) throws(StoreError) -> [Tunnel] {
        let passed = try livingTunnels().filter { $0.storedState.restoreDeadline.map { $0 <= moment } == true }
        return Array(passed.prefix(limit))
    }

    func organization(_ id: OrganizationID) throws(StoreError) -> Organization? { tables.organizations[id] }

    func tunnel(of identityID: IdentityID) throws(StoreError) -> Tunnel? {
        try livingTunnels().first { $0.identityID == identityID }
    }

    func identity(_ id: IdentityID) throws(StoreError) -> Identity? { tables.identities[id] }

    func identity(named handle: AgentHandle) throws(StoreError) -> Identity? {
        tables.identities.values.first { $0.handle == handle && $0.isLiving }
    }

    func identities(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [Identity] {
        let behind = tables.identities.values
            .filter {
                $0.organizationID == organizationID && $0.isLiving
                    && cursor?.precedes(createdAt: $0.createdAt, id: $0.id.value) != false
            }
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return Array(behind.prefix(limit ?? behind.count))
    }

    func apiKey(hash: [UInt8]) throws(StoreError) -> APIKeyRecord? { tables.apiKeys.first { $0.hash == hash } }

    func apiKey(_ id: UUIDValue) throws(StoreError) -> APIKeyRecord? { tables.apiKeys.first { $0.id == id } }

    func apiKeys(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [APIKeyRecord] {
        let behind = tables.apiKeys
            .filter {
                $0.organizationID == organizationID && cursor?.precedes(createdAt: $0.createdAt, id: $0.id) != false
            }
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return Array(behind.prefix(limit ?? behind.count))
    }

    func openAPIKeys(of identityID: IdentityID) throws(StoreError) -> [APIKeyRecord] {
        tables.apiKeys.filter { $0.scopedIdentityID == identityID && $0.revokedAt == nil }
    }

    func openAPIKeys(expiringUpTo moment: Timestamp, limit: Int) throws(StoreError) -> [APIKeyRecord] {
        let expiring = tables.apiKeys.filter { key in key.revokedAt == nil && key.expiresAt.map { $0 <= moment } == true }
        return Array(expiring.sorted { ($0.expiresAt ?? moment) < ($1.expiresAt ?? moment) }.prefix(limit))
    }

    func successCount(of action: CountedAction, for subject: String, after moment: Timestamp) throws(StoreError) -> Int {
        times(of: action, for: subject, after: moment).count
    }

    func successTime(
        of action: CountedAction, for subject: String, after moment: Timestamp, ordinal: Int
    ) throws(StoreError) -> Timestamp? {
        let times = times(of: action, for: subject, after: moment)
        return times.indices.contains(ordinal) ? times[ordinal] : nil
    }

    private func times(of action: CountedAction, for subject: String, after moment: Timestamp) -> [Timestamp] {
        tables.successes.filter { $0.action == action && $0.subject == subject && $0.at > moment }.map(\.at).sorted()
    }

    func replay(of key: String, for organizationID: OrganizationID) throws(StoreError) -> ReplayRecord? {
        tables.replays.first { $0.key == key && $0.organizationID == organizationID }
    }
}

extension MemoryTransaction: StoreWriting {
    func insert(_ tunnel: Tunnel) throws(StoreError) {
        guard tables.tunnels[tunnel.id] == nil else { throw .constraint("the tunnel's id is taken") }
        guard try self.tunnel(named: tunnel.name) == nil else { throw .constraint("the tunnel's name is taken") }
        guard tables.organizations[tunnel.organizationID] != nil else { throw .constraint("there is no such organization") }
        tables.tunnels[tunnel.id] = tunnel
    }

    func update(_ tunnel: Tunnel) throws(StoreError) {
        guard tables.tunnels[tunnel.id] != nil else { throw .constraint("there is no such tunnel") }
        if tunnel.storedState.status != .deleted, let holder = try self.tunnel(named: tunnel.name), holder.id != tunnel.id {
            throw .constraint("the tunnel's name is taken")
        }
        tables.tunnels[tunnel.id] = tunnel
    }

    func insert(_ organization: Organization) throws(StoreError) {
        guard tables.organizations[organization.id] == nil else { throw .constraint("the organization's id is taken") }
        tables.organizations[organization.id] = organization
    }

    func insert(_ identity: Identity) throws(StoreError) {
        guard tables.identities[identity.id] == nil else { throw .constraint("the identity's id is taken") }
        guard try self.identity(named: identity.handle) == nil else { throw .constraint("the identity's handle is taken") }
        guard tables.organizations[identity.organizationID] != nil else {
            throw .constraint("there is no such organization")
        }
        tables.identities[identity.id] = identity
    }

    func update(_ identity: Identity) throws(StoreError) {
        guard tables.identities[identity.id] != nil else { return }
        if identity.isLiving, let holder = try self.identity(named: identity.handle), holder.id != identity.id {
            throw .constraint("the identity's handle is taken")
        }
        tables.identities[identity.id] = identity
    }

    func update(_ apiKey: APIKeyRecord) throws(StoreError) {
        guard let index = tables.apiKeys.firstIndex(where: { $0.id == apiKey.id }) else { return }
        tables.apiKeys[index] = apiKey
    }

    func insert(_ apiKey: APIKeyRecord) throws(StoreError) {
        guard try self.apiKey(hash: apiKey.hash) == nil else { throw .constraint("the key's hash is taken") }
        guard tables.organizations[apiKey.organizationID] != nil else { throw .constraint("there is no such organization") }
        tables.apiKeys.append(apiKey)
    }

    func touchAPIKey(_ id: UUIDValue, at now: Timestamp) throws(StoreError) {
        guard let index = tables.apiKeys.firstIndex(where: { $0.id == id }) else { return }
        tables.apiKeys[index].lastUsedAt = now
    }

    func recordSuccess(of action: CountedAction, for subject: String, at now: Timestamp) throws(StoreError) {
        tables.successes.append(MemorySuccess(action: action, subject: subject, at: now))
    }

    func put(_ replay: ReplayRecord) throws(StoreError) {
        tables.replays.removeAll { $0.key == replay.key && $0.organizationID == replay.organizationID }
        tables.replays.append(replay)
    }

    func forgetSuccesses(upTo moment: Timestamp) throws(StoreError) { tables.successes.removeAll { $0.at <= moment } }

    func forgetReplays(upTo moment: Timestamp) throws(StoreError) { tables.replays.removeAll { $0.createdAt <= moment } }
}
