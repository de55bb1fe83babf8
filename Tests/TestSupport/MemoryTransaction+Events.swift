internal import TunnelDomain
internal import TunnelService

// The event log in memory.
extension MemoryTransaction {
    func events(of organizationID: OrganizationID, after sequence: Int64, limit: Int) throws(StoreError) -> [EventRecord] {
        Array(tables.events.filter { $0.organizationID == organizationID && $0.sequence > sequence }.prefix(limit))
    }

    func eventLogExtent(of organizationID: OrganizationID) throws(StoreError) -> EventLogExtent {
        let forgotten = tables.forgottenEvents[organizationID] ?? 0
        return EventLogExtent(
            forgottenUpTo: forgotten, last: tables.events.last { $0.organizationID == organizationID }?.sequence ?? forgotten)
    }

    func eventCount(of organizationID: OrganizationID) throws(StoreError) -> Int {
        tables.events.count { $0.organizationID == organizationID }
    }

    func organizationIDs() throws(StoreError) -> [OrganizationID] { Array(tables.organizations.keys) }

    func expiryWatches(dueUpTo moment: Timestamp, limit: Int) throws(StoreError) -> [TunnelID] {
        let due = tables.expiryWatches.filter { $0.value <= moment }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        return Array(due.map(\.key).prefix(limit))
    }

    func append(_ event: EventRecord) throws(StoreError) {
        tables.lastEventSequence += 1
        tables.events.append(
            EventRecord(
                sequence: tables.lastEventSequence, id: event.id, occurredAt: event.occurredAt, type: event.type,
                organizationID: event.organizationID, identityID: event.identityID, tunnelID: event.tunnelID,
                dataJSON: event.dataJSON))
    }

    func forgetEvents(of organizationID: OrganizationID, upTo sequence: Int64) throws(StoreError) {
        tables.events.removeAll { $0.organizationID == organizationID && $0.sequence <= sequence }
        tables.forgottenEvents[organizationID] = max(sequence, tables.forgottenEvents[organizationID] ?? 0)
    }

    func watchExpiry(of tunnelID: TunnelID, from moment: Timestamp) throws(StoreError) {
        tables.expiryWatches[tunnelID] = moment
    }

    func endExpiryWatch(of tunnelID: TunnelID) throws(StoreError) { tables.expiryWatches[tunnelID] = nil }
}
