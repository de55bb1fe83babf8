package import TunnelDomain

/// What can be asked within a transaction; every answer is of the same moment.
package protocol StoreReading: AppReading, AuditReading, EventReading, WebhookReading {
    /// The tunnel with this id, deleted ones included as long as their row is kept.
    func tunnel(_ id: TunnelID) throws(StoreError) -> Tunnel?

    /// The one tunnel with this name whose stored state is not `deleted`.
    ///
    /// Its grace window may have passed; whether it still holds the name is for `Tunnel.holdsName(at:)` to say.
    func tunnel(named name: TunnelName) throws(StoreError) -> Tunnel?

    /// The organization's tunnels whose stored state is not `deleted`, newest first (by creation, then by id, both falling),
    /// behind the cursor and at most `limit` of them; nil for all.
    func tunnels(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [Tunnel]

    /// Every tunnel of every organization whose stored state is not `deleted`, in no order.
    func livingTunnels() throws(StoreError) -> [Tunnel]

    /// Those of `livingTunnels` whose restore deadline is not after the moment, at most `limit` of them.
    func tunnels(withDeadlineUpTo moment: Timestamp, limit: Int) throws(StoreError) -> [Tunnel]

    /// The tunnel of this identity whose stored state is not `deleted`; an identity has one at most.
    func tunnel(of identityID: IdentityID) throws(StoreError) -> Tunnel?

    func organization(_ id: OrganizationID) throws(StoreError) -> Organization?

    /// The identity with this id, deleted ones included.
    func identity(_ id: IdentityID) throws(StoreError) -> Identity?

    /// The one living identity with this handle.
    func identity(named handle: AgentHandle) throws(StoreError) -> Identity?

    /// The organization's living identities, newest first (by creation, then by id, both falling), behind the cursor and at
    /// most `limit` of them; nil for all.
    func identities(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [Identity]

    /// The key with this hash, revoked and expired ones included.
    func apiKey(hash: [UInt8]) throws(StoreError) -> APIKeyRecord?

    /// The key with this id, revoked and expired ones included.
    func apiKey(_ id: UUIDValue) throws(StoreError) -> APIKeyRecord?

    /// The organization's keys in the same order, revoked and expired ones included.
    func apiKeys(
        of organizationID: OrganizationID, after cursor: ListCursor?, limit: Int?
    ) throws(StoreError) -> [APIKeyRecord]

    /// The identity's keys that nobody has ended, in no order.
    func openAPIKeys(of identityID: IdentityID) throws(StoreError) -> [APIKeyRecord]

    /// Keys that nobody has ended and whose expiry is not after the moment, at most `limit` of them.
    func openAPIKeys(expiringUpTo moment: Timestamp, limit: Int) throws(StoreError) -> [APIKeyRecord]

    /// How often the action succeeded for the subject after the moment (not at it).
    func successCount(of action: CountedAction, for subject: String, after moment: Timestamp) throws(StoreError) -> Int

    /// When it succeeded: the success with this ordinal among those after the moment, the oldest having ordinal 0.
    func successTime(
        of action: CountedAction, for subject: String, after moment: Timestamp, ordinal: Int
    ) throws(StoreError) -> Timestamp?

    /// The answer that is kept under this key, expired ones included.
    func replay(of key: String, for organizationID: OrganizationID) throws(StoreError) -> ReplayRecord?
}
