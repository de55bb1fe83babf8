internal import TunnelDomain

/// Keeps every organization's event log within its bounds.
package struct ForgetEvents: Sendable {
    /// So many events are forgotten in one transaction, so that other writers need not wait long.
    package static let batchCountMax = 1_000

    private let ports: ServicePorts
    private let limits: EventLimits

    package init(ports: ServicePorts, limits: EventLimits) {
        self.ports = ports
        self.limits = limits
    }

    /// Forgets until every log is within its bounds, and says how many events are gone.
    @discardableResult
    package func callAsFunction() async throws -> Int {
        var total = 0
        for organizationID in try await ports.look({ store, _ in try store.organizationIDs() }) {
            while let batch = try await oldest(of: organizationID) {
                try await ports.store.write { try $0.forgetEvents(of: organizationID, upTo: batch.last) }
                total += batch.count
            }
        }
        return total
    }

    /// The oldest events that are over the bounds: how many, and the number of the last; nil when none is.
    private func oldest(of organizationID: OrganizationID) async throws -> (count: Int, last: Int64)? {
        try await ports.look { store, now in
            let surplus = try store.eventCount(of: organizationID) - limits.keptCountMax
            let oldest = try store.events(of: organizationID, after: 0, limit: Self.batchCountMax)
            // In the order of the log: a clock that was set back makes no hole in it.
            let over = oldest.enumerated().prefix { $0.offset < surplus || $0.element.occurredAt <= now - limits.keptFor }
            return over.last.map { ($0.offset + 1, $0.element.sequence) }
        }
    }
}
