package import TunnelDomain
package import TunnelService
internal import Synchronization

/// A store in memory with real transactions: a body works on a copy, and the copy counts only when the body returns.
package final class MemoryStore: TunnelStore {
    private let tables = Mutex(MemoryTables())
    private let faults = Mutex(Faults())

    private struct Faults {
        var read: StoreError?
        var write: StoreError?
        var commit: StoreError?
        var beforeWrite: (@Sendable () async -> Void)?
    }

    package init() {}

    package func read<Answer: Sendable>(_ body: @Sendable (any StoreReading) throws -> Answer) async throws -> Answer {
        if let fault = faults.withLock({ $0.read }) { throw fault }
        return try body(MemoryTransaction(tables.withLock { $0 }))
    }

    package func write<Answer: Sendable>(_ body: @Sendable (any StoreWriting) throws -> Answer) async throws -> Answer {
        if let wait = faults.withLock({ $0.beforeWrite }) { await wait() }
        if let fault = faults.withLock({ $0.write }) { throw fault }
        let commitFault = faults.withLock { $0.commit }
        return try tables.withLock { tables in
            let transaction = MemoryTransaction(tables)
            let answer = try body(transaction)
            if let commitFault { throw commitFault }
            tables = transaction.tables
            return answer
        }
    }
}

// MARK: - For tests

extension MemoryStore {
    /// A copy of everything that is stored.
    package var contents: MemoryTables { tables.withLock { $0 } }

    /// Makes every later read or write fail, or work again with nil.
    package func fail(reads: StoreError? = nil, writes: StoreError? = nil) {
        faults.withLock { ($0.read, $0.write) = (reads, writes) }
    }

    /// Makes every later commit fail after its body has run, or work again with nil.
    package func failCommits(with fault: StoreError?) { faults.withLock { $0.commit = fault } }

    /// Runs before every later writing transaction begins; a test can hold a request in flight with it.
    package func beforeWrite(_ wait: (@Sendable () async -> Void)?) {
        faults.withLock { $0.beforeWrite = wait }
    }

    /// Puts rows in place without a use case.
    package func arrange(_ change: (inout MemoryTables) -> Void) {
        tables.withLock { change(&$0) }
    }
}

/// All rows, as values.
package struct MemoryTables: Sendable {
    package var tunnels: [TunnelID: Tunnel] = [:]
    package var organizations: [OrganizationID: Organization] = [:]
    package var identities: [IdentityID: Identity] = [:]
    package var apiKeys: [APIKeyRecord] = []
    package var apps: [AppID: AppRecord] = [:]
    package var successes: [MemorySuccess] = []
    package var replays: [ReplayRecord] = []
    package var audit: [ChainedAuditEntry] = []
    package var auditHead: [UInt8]?
    package var events: [EventRecord] = []
    package var lastEventSequence: Int64 = 0
    package var webhooks: [UUIDValue: WebhookRecord] = [:]
    package var deliveries: [UUIDValue: WebhookDelivery] = [:]
    package var forgottenEvents: [OrganizationID: Int64] = [:]
    package var expiryWatches: [TunnelID: Timestamp] = [:]

    package init() {}
}

package struct MemorySuccess: Sendable, Hashable {
    package var action: CountedAction
    package var subject: String
    package var at: Timestamp
}
