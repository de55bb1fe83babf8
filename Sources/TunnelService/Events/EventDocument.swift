package import TunnelDomain
internal import TunnelWire

extension EventRecord {
    /// The event as listeners and webhooks get it: a JSON object without secrets.
    package var documentJSON: String {
        EventDocument(
            id: id.text, type: type.rawValue, occurredAt: occurredAt, organizationID: organizationID,
            identityID: identityID, tunnelID: tunnelID, dataJSON: dataJSON
        ).json
    }
}

/// The members that every event has.
package struct EventDocument: Sendable, Hashable {
    let id: String
    let type: String
    let occurredAt: Timestamp
    let organizationID: OrganizationID
    let identityID: IdentityID?
    let tunnelID: TunnelID?
    let dataJSON: String

    package var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        let members: [(String, String?)] = [
            ("id", id), ("type", type), ("occurred_at", occurredAt.iso8601), ("organization_id", organizationID.text),
            ("identity_id", identityID?.text), ("tunnel_id", tunnelID?.text),
        ]
        for (name, value) in members {
            writer.name(name)
            if let value { writer.string(value) } else { writer.null() }
        }
        writer.name("data")
        writer.json(dataJSON)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension EventDocument {
    /// The type of the event that tells a listener of a gap; it stands in no log.
    package static let gapType = "log.truncated"

    /// What a listener is told that may have missed events.
    package init(_ gap: EventGap, id: UUIDValue, of organizationID: OrganizationID, at now: Timestamp) {
        let (reason, seen) =
            switch gap {
            case .forgotten(let seen): ("forgotten", seen)
            case .unknown(let seen): ("unknown_id", seen)
            }
        self.init(
            id: id.text, type: Self.gapType, occurredAt: now, organizationID: organizationID, identityID: nil, tunnelID: nil,
            dataJSON: #"{"reason":"\#(reason)","last_event_id":"\#(seen)"}"#)
    }
}
