package import TunnelDomain

/// How far an organization's event log reaches.
package struct EventLogExtent: Sendable, Hashable {
    /// Every event of the organization up to this number is forgotten; 0 when none is.
    package let forgottenUpTo: Int64
    /// The number of its newest event, forgotten or not; 0 when it never had one.
    package let last: Int64

    package init(forgottenUpTo: Int64, last: Int64) {
        self.forgottenUpTo = forgottenUpTo
        self.last = last
    }
}

/// What can be asked of the event log.
package protocol EventReading {
    /// The organization's events behind a place, in order, at most `limit` of them.
    func events(of organizationID: OrganizationID, after sequence: Int64, limit: Int) throws(StoreError) -> [EventRecord]

    func eventLogExtent(of organizationID: OrganizationID) throws(StoreError) -> EventLogExtent

    func eventCount(of organizationID: OrganizationID) throws(StoreError) -> Int

    /// Every organization, in no order.
    func organizationIDs() throws(StoreError) -> [OrganizationID]

    /// Tunnels whose certificate was to be looked at by the moment, at most `limit` of them, the longest due first.
    func expiryWatches(dueUpTo moment: Timestamp, limit: Int) throws(StoreError) -> [TunnelID]
}

/// What can be changed in the event log and beside it.
package protocol EventWriting {
    /// Adds to the end of the event log, which gives the event its place.
    func append(_ event: EventRecord) throws(StoreError)

    /// Forgets the organization's events up to and with this number.
    func forgetEvents(of organizationID: OrganizationID, upTo sequence: Int64) throws(StoreError)

    /// Has the tunnel's certificate looked at from a moment on, in place of an earlier one.
    func watchExpiry(of tunnelID: TunnelID, from moment: Timestamp) throws(StoreError)

    /// Has the tunnel's certificate looked at no more.
    func endExpiryWatch(of tunnelID: TunnelID) throws(StoreError)
}
