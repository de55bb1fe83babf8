internal import Synchronization
internal import TunnelDomain

/// The idempotency keys whose first request still runs in this process.
///
/// It is kept in memory and not in the store: a crash then leaves nothing behind that would block a retry.
package final class InFlightKeys: Sendable {
    struct Entry: Hashable {
        let organizationID: OrganizationID
        let key: IdempotencyKey
    }

    private let running = Mutex<Set<Entry>>([])

    package init() {}

    /// Claims the key; false when somebody else has it.
    func begin(_ entry: Entry) -> Bool { running.withLock { $0.insert(entry).inserted } }

    func end(_ entry: Entry) { running.withLock { _ = $0.remove(entry) } }
}
