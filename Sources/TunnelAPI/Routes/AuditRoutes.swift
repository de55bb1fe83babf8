internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// The audit trail (control plane, section 7).
struct AuditRoutes: Sendable {
    let ports: ServicePorts

    static let path = "/api/v1/audit-events"

    var routes: [Route] {
        [
            Route(
                method: "GET", pattern: RoutePattern(Self.path), access: .permitted(.readAudit), body: .unused,
                handler: .call(list))
        ]
    }

    @Sendable private func list(_ call: APICall) async throws -> APIAnswer {
        let query = try AuditQuery(call.target)
        let answer = try await ListAuditLines(ports: ports)(
            query.filter, after: query.cursor, limit: query.limit, by: call.context)
        var members = [JSONMember("audit_events", .array(answer.lines.map { .object($0.members()) }))]
        if let next = answer.next { members.append(JSONMember("next_cursor", .string(next.token))) }
        return APIAnswer(200, .object(members))
    }
}

/// What the query asks of the trail.
private struct AuditQuery {
    var filter = AuditFilter()
    var cursor: AuditCursor?
    var limit = Page<Never>.sizeDefault

    init(_ target: RequestTarget) throws(Problem) {
        var errors: [FieldError] = []
        filter.actorID = target.firstValue(of: "actor")
        filter.resourceID = target.firstValue(of: "resource")
        if let text = target.firstValue(of: "action") {
            filter.action = AuditAction(rawValue: text)
            // A misspelt action would look like one that never happened.
            if filter.action == nil { errors.append(FieldError("?action", "It is no action; there are \(AuditAction.list).")) }
        }
        filter.since = Self.time(target, "since", &errors)
        filter.until = Self.time(target, "until", &errors)
        if let text = target.firstValue(of: "limit") {
            limit = Int(exactDigits: text) ?? 0
            let sizeMax = Page<Never>.sizeMax
            if !(1...sizeMax).contains(limit) {
                errors.append(FieldError("?limit", "It is not a number from 1 to \(sizeMax)."))
            }
        }
        if let text = target.firstValue(of: "cursor") {
            cursor = AuditCursor(token: text)
            if cursor == nil {
                errors.append(FieldError("?cursor", "It is not a cursor of this list; take the next page's as it was given."))
            }
        }
        guard errors.isEmpty else { throw Problem(invalid: errors) }
    }

    private static func time(_ target: RequestTarget, _ name: String, _ errors: inout [FieldError]) -> Timestamp? {
        guard let text = target.firstValue(of: name) else { return nil }
        // A plus sign that was not escaped has become a blank on its way.
        if let time = Timestamp(iso8601: text.replacing(" ", with: "+")) { return time }
        errors.append(FieldError("?\(name)", "It is not a moment such as 2026-04-21T12:30:00Z (ISO 8601)."))
        return nil
    }
}

extension AuditAction {
    fileprivate static var list: String { allCases.map(\.rawValue).sorted().joined(separator: ", ") }
}

extension AuditCursor {
    /// The cursor as clients carry it; they need not understand it.
    fileprivate var token: String { "\(occurredAt.microsecondsSinceEpoch)~\(sequence)" }

    fileprivate init?(token: String) {
        let parts = token.split(separator: "~", omittingEmptySubsequences: false)
        guard parts.count == 2, let microseconds = Int64(parts[0]), let sequence = Int64(parts[1]) else { return nil }
        self.init(occurredAt: Timestamp(microsecondsSinceEpoch: microseconds), sequence: sequence)
    }
}
