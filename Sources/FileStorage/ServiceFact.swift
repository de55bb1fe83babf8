internal import TunnelService

/// What is fixed when a data directory is made, and belongs to no organization.
package enum ServiceFact: String, Sendable, CaseIterable {
    /// The domain name under which the tunnels have their hosts.
    case zone
    /// Written by every readiness check, because only a write shows that the store takes writes.
    case lastReadinessCheck = "last_readiness_check"
}

extension SQLiteStore {
    /// What was written down; nil when nothing was.
    package func fact(_ fact: ServiceFact) async throws -> String? {
        try await reader.perform { transaction in
            try transaction.row("SELECT value FROM service WHERE name = ?", [.text(fact.rawValue)]) { $0.text(0) }
        }
    }

    /// Writes a fact down, in place of what was there.
    package func setFact(_ fact: ServiceFact, to value: String) async throws {
        try await writer.perform { transaction in
            try transaction.change(
                "INSERT OR REPLACE INTO service (name, value) VALUES (?, ?)", [.text(fact.rawValue), .text(value)])
        }
    }
}
