internal import TunnelDomain

/// Keeps the log of webhook deliveries within its bounds.
package struct ForgetDeliveries: Sendable {
    /// So many are forgotten in one transaction, so that other writers need not wait long.
    package static let batchCountMax = 500

    /// What was done.
    package struct Outcome: Sendable, Hashable {
        package var forgotten = 0
        /// Pending ones for which there was no more room.
        package var givenUp = 0

        package init(forgotten: Int = 0, givenUp: Int = 0) {
            self.forgotten = forgotten
            self.givenUp = givenUp
        }
    }

    private let ports: ServicePorts
    private let limits: WebhookLimits

    package init(ports: ServicePorts, limits: WebhookLimits) {
        self.ports = ports
        self.limits = limits
    }

    @discardableResult
    package func callAsFunction() async throws -> Outcome {
        var outcome = Outcome()
        while true {
            let count = try await ports.store.write { [ports, limits] store in
                try store.forgetDeliveries(endedUpTo: ports.clock.now - limits.keptFor, limit: Self.batchCountMax)
            }
            outcome.forgotten += count
            if count < Self.batchCountMax { break }
        }
        for id in try await ports.look({ store, _ in try store.webhookIDs() }) {
            while try await isOver(id) {
                let batch = try await ports.store.write { store in try shorten(id, in: store) }
                outcome.forgotten += batch.forgotten
                outcome.givenUp += batch.givenUp
            }
        }
        return outcome
    }

    private func isOver(_ id: UUIDValue) async throws -> Bool {
        try await ports.look { store, _ in try store.deliveryCount(of: id) > limits.keptCountMax }
    }

    /// Forgets the oldest; one that is pending counts as given up, and is no more.
    private func shorten(_ id: UUIDValue, in store: any StoreWriting) throws -> Outcome {
        let surplus = try store.deliveryCount(of: id) - limits.keptCountMax
        var outcome = Outcome()
        for delivery in try store.oldestDeliveries(of: id, limit: min(max(surplus, 0), Self.batchCountMax)) {
            try store.deleteDelivery(delivery.id)
            outcome.forgotten += 1
            if delivery.isPending { outcome.givenUp += 1 }
        }
        return outcome
    }
}
