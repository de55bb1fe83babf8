package import TunnelDomain

/// What can be asked within a transaction; every answer is of the same moment.
package protocol StoreReading {
    /// The tunnel with this id, deleted ones included as long as their row is kept.
    func tunnel(_ id: TunnelID) throws(StoreError) -> Tunnel?

    /// The one tunnel with this name whose stored state is not `deleted`.
    ///
    /// Its grace window may have passed; whether it still holds the name is for `Tunnel.holdsName(at:)` to say.
    func tunnel(named name: TunnelName) throws(StoreError) -> Tunnel?

    /// The organization's tunnels whose stored state is not `deleted`, newest first (by creation, then by id, both falling),
    /// behind the cursor and at most `limit` of them; nil for all.
    func tunnels(
        of organizationID: OrganizationID, after cursor: TunnelCursor?, limit: Int?
    ) throws(StoreError) -> [Tunnel]

    /// Every tunnel of every organization whose stored state is not `deleted`, in no order.
    func livingTunnels() throws(StoreError) -> [Tunnel]

    /// Those of `livingTunnels` whose restore deadline is not after the moment, at most `limit` of them.
    func tunnels(withDeadlineUpTo moment: Timestamp, limit: Int) throws(StoreError) -> [Tunnel]

    func organization(_ id: OrganizationID) throws(StoreError) -> Organization?

    /// The key with this hash, revoked and expired ones included.
    func apiKey(hash: [UInt8]) throws(StoreError) -> APIKeyRecord?

    /// How often the action succeeded for the subject after the moment (not at it).
    func successCount(of action: CountedAction, for subject: String, after moment: Timestamp) throws(StoreError) -> Int

    /// When it succeeded: the success with this ordinal among those after the moment, the oldest having ordinal 0.
    func successTime(
        of action: CountedAction, for subject: String, after moment: Timestamp, ordinal: Int
    ) throws(StoreError) -> Timestamp?

    /// The answer that is kept under this key, expired ones included.
    func replay(of key: String, for organizationID: OrganizationID) throws(StoreError) -> ReplayRecord?

    /// The `hash` of the newest audit entry, or nil when there is none.
    func lastAuditHash() throws(StoreError) -> [UInt8]?
}
