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
        of organizationID: OrganizationID, after cursor: TunnelCursor?, limit: Int?
    ) throws(StoreError) -> [Tunnel] {
        let behind = try livingTunnels()
            .filter { $0.organizationID == organizationID && cursor?.precedes($0) != false }
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

    func apiKey(hash: [UInt8]) throws(StoreError) -> APIKeyRecord? { tables.apiKeys.first { $0.hash == hash } }

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

    func lastAuditHash() throws(StoreError) -> [UInt8]? { tables.audit.last?.hash }
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

    func append(_ entry: ChainedAuditEntry) throws(StoreError) { tables.audit.append(entry) }

    func forgetSuccesses(upTo moment: Timestamp) throws(StoreError) { tables.successes.removeAll { $0.at <= moment } }

    func forgetReplays(upTo moment: Timestamp) throws(StoreError) { tables.replays.removeAll { $0.createdAt <= moment } }
}
