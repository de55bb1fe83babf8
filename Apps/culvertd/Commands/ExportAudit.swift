import FileStorage
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// `culvertd audit export`: prints the audit trail, one JSON object for each line.
struct ExportAudit {
    private let path: String
    private let organization: String?
    private let filter: AuditFilter

    init(flags: Flags, environment: [String: String]) throws(UsageError) {
        path = try flags.dataDirectory(in: environment)
        organization = try flags.single("--organization", or: "", in: [:])
        if let organization, OrganizationID(organization) == nil {
            throw UsageError("--organization is “\(organization)”; it must be an id such as org_2fWkxQ8mZ4tT")
        }
        filter = AuditFilter(since: try Self.time("--since", flags), until: try Self.time("--until", flags))
    }

    private static func time(_ flag: String, _ flags: Flags) throws(UsageError) -> Timestamp? {
        guard let text = try flags.single(flag, or: "", in: [:]) else { return nil }
        guard let time = Timestamp(iso8601: text) else {
            throw UsageError("\(flag) is “\(text)”; it must be a moment such as 2026-04-21T12:30:00Z")
        }
        return time
    }

    func run() throws {
        try AuditArchive(dataDirectory: path).forEachLine { line in
            guard filter.matches(line), organization ?? line.organizationID == line.organizationID else { return }
            let members = [JSONMember("organization_id", .string(line.organizationID))] + line.members()
            try Output.result(String(decoding: JSONValue.object(members).serialized, as: UTF8.self))
        }
    }
}
