internal import TunnelDomain
package import TunnelService
package import TunnelWire

extension AuditLine {
    /// The members of the audit event object: every one is always there, in this order; hashes are hexadecimal.
    package func members() -> [JSONMember] {
        // Only somebody who has edited the store can have put there what is no JSON; then it is shown as it is.
        let details = (try? JSONValue(parsing: Array(detailsJSON.utf8))) ?? .string(detailsJSON)
        return [
            JSONMember("id", .string(id)),
            JSONMember("sequence", .integer(Int(sequence))),
            JSONMember("occurred_at", .time(occurredAt)),
            JSONMember("action", .string(action)),
            JSONMember(
                "actor", .members(["type": .string(actorKind), "id": .string(actorID), "label": .string(actorLabel)])),
            JSONMember("resource", .members(["type": .string(resourceType), "id": .string(resourceID)])),
            JSONMember("ip", .optional(ip)),
            JSONMember("request_id", .optional(requestID)),
            JSONMember("outcome", .string(outcome)),
            JSONMember("details", details),
            JSONMember("previous_hash", .string(Hex.encode(previousHash))),
            JSONMember("hash", .string(Hex.encode(hash))),
        ]
    }
}
