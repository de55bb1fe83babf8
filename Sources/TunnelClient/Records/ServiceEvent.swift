public import FoundationEssentials

/// Something that happened at the service (control plane §7).
public struct ServiceEvent: Sendable, Hashable {
    /// Its place in the stream: what a later call resumes behind.
    public var streamID: String?
    public var type: EventType
    /// When it happened; nil when the server does not say.
    public var occurredAt: Date?
    /// The event as the server wrote it, a JSON object.
    public var document: [String: JSONValue]

    /// An event with every member given.
    public init(streamID: String?, type: EventType, occurredAt: Date? = nil, document: [String: JSONValue] = [:]) {
        self.streamID = streamID
        self.type = type
        self.occurredAt = occurredAt
        self.document = document
    }

    /// A member of the event's own data, when it is a text: `tunnel_name`, `agent_handle` and the like.
    public func text(_ member: String) -> String? {
        for place in [document["data"]?.members ?? [:], document] {
            if case .string(let text)? = place[member] { return text }
        }
        return nil
    }
}

extension JSONValue {
    /// The members of an object; nil for any other value.
    var members: [String: JSONValue]? {
        guard case .object(let members) = self else { return nil }
        return members
    }
}
