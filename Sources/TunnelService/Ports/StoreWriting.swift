package import TunnelDomain

/// What can be changed within a writing transaction; the transaction sees its own changes.
package protocol StoreWriting: StoreReading, AppWriting, AuditWriting, EventWriting, WebhookWriting {
    /// Adds a tunnel; its name must not be that of another tunnel whose stored state is not `deleted`.
    func insert(_ tunnel: Tunnel) throws(StoreError)

    /// Replaces the tunnel with this id.
    func update(_ tunnel: Tunnel) throws(StoreError)

    func insert(_ organization: Organization) throws(StoreError)

    /// Adds an identity; its handle must not be that of another living one.
    func insert(_ identity: Identity) throws(StoreError)

    /// Replaces the identity with this id.
    func update(_ identity: Identity) throws(StoreError)

    /// Adds a key; its hash must be new.
    func insert(_ apiKey: APIKeyRecord) throws(StoreError)

    /// Replaces the key with this id.
    func update(_ apiKey: APIKeyRecord) throws(StoreError)

    /// Remembers the key's last use.
    func touchAPIKey(_ id: UUIDValue, at now: Timestamp) throws(StoreError)

    /// Counts one success.
    func recordSuccess(of action: CountedAction, for subject: String, at now: Timestamp) throws(StoreError)

    /// Keeps an answer for replay, in place of one that is kept under the same key.
    func put(_ replay: ReplayRecord) throws(StoreError)

    /// Forgets successes that were counted at or before the moment.
    func forgetSuccesses(upTo moment: Timestamp) throws(StoreError)

    /// Forgets answers that were kept at or before the moment.
    func forgetReplays(upTo moment: Timestamp) throws(StoreError)
}
