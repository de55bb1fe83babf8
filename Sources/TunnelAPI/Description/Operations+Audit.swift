internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

extension APIOperation {
    /// Control plane, section 7.
    static let audit: [APIOperation] = [
        APIOperation(
            "GET", AuditRoutes.path, "listAuditEvents", .audit, "List audit events",
            "The organization's own lines of the trail, newest first, \(Page<Never>.sizeDefault) of them without a `limit`.",
            access: .permitted(.readAudit), parameters: filters,
            answers: [
                DescribedAnswer(200, "The events.", .ref(.auditEventList)),
                .problem(422, "A part of the query is not right; `errors` says which."),
            ])
    ]

    private static let filters = [
        APIParameter("actor", .string, "The id of who acted: a key's, an app's or an identity's."),
        APIParameter("action", .auditAction, "What was done."),
        APIParameter("resource", .string, "The id of what it was done to."),
        APIParameter("since", .time, "The first moment that counts."),
        APIParameter("until", .time, "The first moment that counts no more."),
        APIParameter("limit", .integer(1...Page<Never>.sizeMax), "So many items at most."),
        APIParameter(
            "cursor", .string(pattern: "^-?[0-9]{1,18}~[0-9]{1,18}$"),
            "Where the page begins: what the page before it gave as the next one's."),
    ]
}

extension NamedSchema {
    fileprivate static let auditEventList = NamedSchema(
        "AuditEventList", "Audit events, newest first.",
        [SchemaProperty("audit_events", .array(of: .ref(.auditEvent))), .nextCursor])

    private static let auditEvent = NamedSchema(
        "AuditEvent", "Who did what to which thing, when, from where, and how it ended.",
        [
            SchemaProperty("id", .uuid),
            SchemaProperty(
                "sequence", .integer(),
                "Its place in the trail of the service; where other organizations acted there are gaps."),
            SchemaProperty("occurred_at", .time),
            SchemaProperty("action", .auditAction),
            SchemaProperty("actor", .ref(.auditActor)),
            SchemaProperty("resource", .ref(.auditResource)),
            SchemaProperty("ip", .string.orNull, "Where the call came from; null for what the service did by itself."),
            SchemaProperty("request_id", .string.orNull, "The `X-Request-Id` of the call."),
            SchemaProperty("outcome", .oneOf(AuditOutcome.allCases.map(\.rawValue))),
            SchemaProperty("details", .anyObject, "What else is known of it; never a secret."),
            SchemaProperty("previous_hash", .sha256, "The `hash` of the line before it in the trail of the service."),
            SchemaProperty("hash", .sha256, "SHA-256 over the previous hash and every field but the sequence."),
        ])

    private static let auditActor = NamedSchema(
        "AuditActor", "Who acted.",
        [
            SchemaProperty("type", .oneOf(AuditActor.Kind.allCases.map(\.rawValue))),
            SchemaProperty("id", .string), SchemaProperty("label", .string, "For people to tell actors apart."),
        ])

    private static let auditResource = NamedSchema(
        "AuditResource", "What it was done to.",
        [
            SchemaProperty("type", .oneOf(AuditResourceType.allCases.map(\.rawValue))), SchemaProperty("id", .string),
        ])
}

extension JSONSchema {
    fileprivate static let auditAction = oneOf(AuditAction.allCases.map(\.rawValue))
    fileprivate static let sha256 = string(pattern: "^[0-9a-f]{64}$")
}
