/// What becomes of one member of a resource that is changed.
public enum MemberChange<Value: Sendable & Hashable>: Sendable, Hashable {
    /// It stays as it is, and is not sent.
    case leave
    case set(Value)
    /// It is emptied; sent as `null`.
    case clear
}

extension KeyedEncodingContainer {
    mutating func encode<Value: Encodable>(_ change: MemberChange<Value>, forKey key: Key) throws {
        switch change {
        case .leave: break
        case .set(let value): try encode(value, forKey: key)
        case .clear: try encodeNil(forKey: key)
        }
    }
}

/// A change to a tunnel: each member is left alone, set or cleared.
public struct TunnelChange: Sendable, Hashable, Encodable {
    /// At most 1,000 characters.
    public var description: MemberChange<String>
    /// A JSON object of at most 4 KiB when serialised.
    public var metadata: MemberChange<[String: JSONValue]>

    /// A change; a member that is not named stays as it is.
    public init(description: MemberChange<String> = .leave, metadata: MemberChange<[String: JSONValue]> = .leave) {
        self.description = description
        self.metadata = metadata
    }

    private enum CodingKeys: String, CodingKey { case description, metadata }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(description, forKey: .description)
        try members.encode(metadata, forKey: .metadata)
    }
}

/// A change to an identity: each member is left alone, set or cleared.
public struct IdentityChange: Sendable, Hashable, Encodable {
    /// A new handle renames the identity's tunnel too: the old host stops, the new one works, the agent stays connected.
    public var agentHandle: String?
    public var displayName: MemberChange<String>
    /// At most 1,000 characters.
    public var description: MemberChange<String>

    /// A change; a member that is not named stays as it is.
    public init(
        agentHandle: String? = nil, displayName: MemberChange<String> = .leave, description: MemberChange<String> = .leave
    ) {
        self.agentHandle = agentHandle
        self.displayName = displayName
        self.description = description
    }

    private enum CodingKeys: String, CodingKey {
        case description
        case agentHandle = "agent_handle"
        case displayName = "display_name"
    }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encodeIfPresent(agentHandle, forKey: .agentHandle)
        try members.encode(displayName, forKey: .displayName)
        try members.encode(description, forKey: .description)
    }
}
