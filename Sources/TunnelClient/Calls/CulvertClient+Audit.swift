/// The audit trail of the organization (control plane §7).
extension CulvertClient {
    /// The lines of the audit trail that a filter lets through, newest first, fetched page by page as they are iterated over.
    ///
    /// - Parameter pageSize: lines of one request, 1...200.
    /// - Throws: from its iterator: 403 without an admin key or the scope `audit:read`; 422 the filter breaks a rule.
    public func auditEvents(
        matching filter: AuditFilter = AuditFilter(), pageSize: Int = PagedList<AuditEventRecord>.pageSizeMax
    ) -> PagedList<AuditEventRecord> {
        precondition((1...PagedList<AuditEventRecord>.pageSizeMax).contains(pageSize), "a page has 1 to 200 lines")
        var query = Query()
        query.append("actor", filter.actor)
        query.append("action", filter.action)
        query.append("resource", filter.resource)
        query.append("since", filter.since.map(ClientJSON.text))
        query.append("until", filter.until.map(ClientJSON.text))
        return list(AuditEventList.self, at: "/api/v1/audit-events", query, pageSize: pageSize)
    }
}

private struct AuditEventList: ListDocument {
    var auditEvents: [AuditEventRecord]
    var nextCursor: String?

    var items: [AuditEventRecord] { auditEvents }

    private enum CodingKeys: String, CodingKey {
        case auditEvents = "audit_events"
        case nextCursor = "next_cursor"
    }
}
