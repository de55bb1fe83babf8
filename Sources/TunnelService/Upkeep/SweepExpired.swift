internal import TunnelDomain

/// Tidies the store: writes down deletions that time has completed, and forgets what counts no more.
///
/// Nothing that a client can observe depends on when this runs, or on whether it does.
package struct SweepExpired: Sendable {
    /// So many tunnels are finalized in one transaction, so that other writers need not wait long.
    package static let batchTunnelCountMax = 100
    /// So many keys are ended in one transaction.
    package static let batchKeyCountMax = 100

    private let ports: ServicePorts
    private let rules: ServiceRules

    package init(ports: ServicePorts, rules: ServiceRules) {
        self.ports = ports
        self.rules = rules
    }

    /// Sweeps until nothing is left to do, and says how many tunnels were finalized.
    @discardableResult
    package func callAsFunction() async throws -> Int {
        // Keys first: agents that they let in go on until then.
        while try await ports.commit({ store, now in try endKeys(in: store, at: now) }) == Self.batchKeyCountMax {}
        var total = 0
        while true {
            let count = try await ports.commit { store, now in try sweepBatch(in: store, at: now) }
            total += count
            if count < Self.batchTunnelCountMax { break }
        }
        try await ports.store.write { store in
            let now = ports.clock.now
            try store.forgetSuccesses(upTo: now - rules.longestWindow)
            try store.forgetReplays(upTo: now - IdempotencyRecord.lifetime)
        }
        return total
    }

    /// Writes down that keys have expired: they count no more already, but connections that they opened have to hear of it.
    private func endKeys(in store: any StoreWriting, at now: Timestamp) throws -> Change<Int> {
        let trail = AuditTrail(ports: ports)
        let ended = try store.openAPIKeys(expiringUpTo: now, limit: Self.batchKeyCountMax).map { key in
            var key = key
            key.end(at: key.expiresAt ?? now)
            try store.update(key)
            try trail.append(
                AuditEntry(
                    id: trail.newID(), occurredAt: now, action: .keyExpire, organizationID: key.organizationID,
                    actor: .system, resourceType: .apiKey, resourceID: key.idText, ip: nil, requestID: nil),
                in: store)
            return key
        }
        return Change(
            ended.count, notices: ended.map { .keyEnded($0.id) }, events: ended.map { EventDraft(.keyRevoked, $0) })
    }

    private func sweepBatch(in store: any StoreWriting, at now: Timestamp) throws -> Change<Int> {
        let notices = try store.tunnels(withDeadlineUpTo: now, limit: Self.batchTunnelCountMax).map {
            try FinalizeTunnel(ports: ports).write($0, in: store, at: now)
        }
        return Change(notices.count, notices: notices)
    }
}
