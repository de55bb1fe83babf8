internal import TunnelDomain
internal import TunnelService

extension Query {
    static let events = """
        SELECT sequence, \(EventRows.columns) FROM events WHERE organization_id = ? AND sequence > ? \
        ORDER BY sequence LIMIT ?
        """
    static let lastEvent = "SELECT sequence FROM events WHERE organization_id = ? ORDER BY sequence DESC LIMIT 1"
    static let forgottenEvents = "SELECT forgotten_up_to FROM event_bounds WHERE organization_id = ?"
    static let eventCount = "SELECT count(*) FROM events WHERE organization_id = ?"
    static let organizationIDs = "SELECT id FROM organizations"
    static let expiryWatches = "SELECT tunnel_id FROM expiry_watches WHERE due_at <= ? ORDER BY due_at LIMIT ?"
}

extension Change {
    static let insertEvent = "INSERT INTO events (\(EventRows.columns)) VALUES (\(placeholders(7)))"
    static let forgetEvents = "DELETE FROM events WHERE organization_id = ? AND sequence <= ?"
    static let raiseEventBound = """
        INSERT INTO event_bounds (organization_id, forgotten_up_to) VALUES (?, ?) \
        ON CONFLICT (organization_id) DO UPDATE SET forgotten_up_to = max(forgotten_up_to, excluded.forgotten_up_to)
        """
    static let putExpiryWatch = "INSERT OR REPLACE INTO expiry_watches (tunnel_id, due_at) VALUES (?, ?)"
    static let endExpiryWatch = "DELETE FROM expiry_watches WHERE tunnel_id = ?"
}

extension SQLiteTransaction {
    func events(of organizationID: OrganizationID, after sequence: Int64, limit: Int) throws(StoreError) -> [EventRecord] {
        try rows(Query.events, [.text(organizationID.text), .integer(sequence), SQLValue(limit)], EventRows.read)
    }

    func eventLogExtent(of organizationID: OrganizationID) throws(StoreError) -> EventLogExtent {
        let organization = [SQLValue.text(organizationID.text)]
        let forgotten = try row(Query.forgottenEvents, organization) { $0.integer(0) } ?? 0
        return EventLogExtent(
            forgottenUpTo: forgotten, last: try row(Query.lastEvent, organization) { $0.integer(0) } ?? forgotten)
    }

    func eventCount(of organizationID: OrganizationID) throws(StoreError) -> Int {
        try row(Query.eventCount, [.text(organizationID.text)]) { Int($0.integer(0)) } ?? 0
    }

    func organizationIDs() throws(StoreError) -> [OrganizationID] {
        try rows(Query.organizationIDs, []) { row throws(SQLiteFailure) in
            try readable(OrganizationID(row.text(0)), "organizations", "id")
        }
    }

    func expiryWatches(dueUpTo moment: Timestamp, limit: Int) throws(StoreError) -> [TunnelID] {
        try rows(Query.expiryWatches, [SQLValue(moment), SQLValue(limit)]) { row throws(SQLiteFailure) in
            try readable(TunnelID(row.text(0)), "expiry_watches", "tunnel_id")
        }
    }

    func append(_ event: EventRecord) throws(StoreError) {
        try change(Change.insertEvent, EventRows.values(event))
    }

    func forgetEvents(of organizationID: OrganizationID, upTo sequence: Int64) throws(StoreError) {
        let values: [SQLValue] = [.text(organizationID.text), .integer(sequence)]
        try change(Change.forgetEvents, values)
        try change(Change.raiseEventBound, values)
    }

    func watchExpiry(of tunnelID: TunnelID, from moment: Timestamp) throws(StoreError) {
        try change(Change.putExpiryWatch, [.text(tunnelID.text), SQLValue(moment)])
    }

    func endExpiryWatch(of tunnelID: TunnelID) throws(StoreError) {
        try change(Change.endExpiryWatch, [.text(tunnelID.text)])
    }
}
