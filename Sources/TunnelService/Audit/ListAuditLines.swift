internal import TunnelDomain

/// Shows the organization's own lines of the audit trail, newest first and always in pages: a trail has no bound.
package struct ListAuditLines: Sendable {
    /// One page, and where the next one begins.
    package struct Answer: Sendable {
        package let lines: [AuditLine]
        /// Nil when there is nothing behind this page.
        package let next: AuditCursor?
    }

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// - Precondition: 1 to 200 lines are asked for.
    package func callAsFunction(
        _ filter: AuditFilter, after cursor: AuditCursor?, limit: Int, by call: CallContext
    ) async throws -> Answer {
        precondition((1...Page<AuditLine>.sizeMax).contains(limit), "the caller has checked the page size")
        return try await ports.look { store, _ in
            try call.require(.readAudit)
            // One more than asked for tells whether there is a next page.
            let found = try store.auditLines(of: call.organizationID, matching: filter, after: cursor, limit: limit + 1)
            let lines = Array(found.prefix(limit))
            return Answer(lines: lines, next: found.count > limit ? lines.last.map(AuditCursor.init(behind:)) : nil)
        }
    }
}
