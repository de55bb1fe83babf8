public import FoundationEssentials

/// What a server tells of, as an event type of the stream and of webhooks: `tunnel.created` and the like (control plane §7).
public struct EventType: OpenWord {
    public var rawValue: String

    /// Takes any word, known or not.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Not something that happened: events may be missing before the next one, because the server does not keep them any
    /// more (`reason` is `forgotten`) or never had the event to go on behind (`unknown_id`).
    public static let logTruncated = EventType(rawValue: "log.truncated")

    /// The types that this client knows; a server may have more.
    public static let known: [EventType] = [
        "tunnel.created", "tunnel.updated", "tunnel.delete_pending", "tunnel.restored", "tunnel.deleted", "tunnel.connected",
        "tunnel.disconnected", "tunnel.superseded", "secret.rotated", "cert.signed", "cert.expiring", "identity.created",
        "identity.updated", "identity.deleted", "key.created", "key.revoked", "key.rotated",
    ].map(EventType.init(rawValue:))
}

/// A subscription to events, delivered as webhooks (control plane §7).
public struct WebhookSubscription: Sendable, Hashable, Codable {
    /// Where a subscription is in its life.
    public struct Status: OpenWord {
        public var rawValue: String

        /// Takes any word, known or not.
        public init(rawValue: String) { self.rawValue = rawValue }

        public static let active = Status(rawValue: "active")
        public static let deleted = Status(rawValue: "deleted")
    }

    /// A UUID.
    public var id: String
    public var organizationID: String?
    /// The identity whose events are delivered; nil for the whole organization.
    public var agentIdentityID: String?
    public var url: String
    public var eventTypes: [EventType]
    public var description: String?
    public var status: Status?
    /// Since when nothing has been taken; nil when all is well.
    public var failingSince: Date?
    public var createdAt: Date?
    public var updatedAt: Date?

    private enum CodingKeys: String, CodingKey {
        case id, url, description, status
        case failingSince = "failing_since"
        case organizationID = "organization_id"
        case agentIdentityID = "agent_identity_id"
        case eventTypes = "event_types"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }
}

/// A new subscription, and what its deliveries are signed with. The secrets are shown this once.
public struct CreatedWebhookSubscription: Sendable, Hashable, Codable {
    public var subscription: WebhookSubscription
    /// Signs each delivery by Standard Webhooks; begins with `whsec_`. Nil when the server gave none.
    public var secret: String?
    /// The identity's signing key, when this subscription brought it about.
    public var signingKey: String?

    private enum CodingKeys: String, CodingKey {
        case secret
        case signingKey = "signing_key"
    }

    /// Reads the subscription's members and the secrets beside them.
    public init(from decoder: any Decoder) throws {
        subscription = try WebhookSubscription(from: decoder)
        let members = try decoder.container(keyedBy: CodingKeys.self)
        secret = try members.decodeIfPresent(String.self, forKey: .secret)
        signingKey = try members.decodeIfPresent(String.self, forKey: .signingKey)
    }

    public func encode(to encoder: any Encoder) throws {
        try subscription.encode(to: encoder)
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encodeIfPresent(secret, forKey: .secret)
        try members.encodeIfPresent(signingKey, forKey: .signingKey)
    }
}

/// An event on its way to a subscription, as the delivery log has it: tried until it is taken, or given up.
public struct WebhookDelivery: Sendable, Hashable, Codable {
    /// What has become of it.
    public struct Status: OpenWord {
        public var rawValue: String

        /// Takes any word, known or not.
        public init(rawValue: String) { self.rawValue = rawValue }

        public static let pending = Status(rawValue: "pending")
        public static let delivered = Status(rawValue: "delivered")
        public static let exhausted = Status(rawValue: "exhausted")
    }

    /// A UUID.
    public var id: String
    public var subscriptionID: String?
    /// What receivers tell repetitions by: the same for every attempt and for a replay.
    public var webhookID: String?
    public var eventType: EventType
    public var status: Status?
    public var attemptCount: Int?
    /// When it is tried next; nil when it is not.
    public var nextAttemptAt: Date?
    public var lastAttemptAt: Date?
    /// What the receiver answered last, an HTTP status; nil when it did not answer.
    public var lastStatus: Int?
    /// Why there was no good answer.
    public var lastError: String?
    /// How long the last attempt took, in milliseconds.
    public var lastMilliseconds: Int?
    /// The delivery that this one repeats.
    public var replayOf: String?
    public var createdAt: Date?
    /// When it was taken or given up.
    public var endedAt: Date?

    private enum CodingKeys: String, CodingKey {
        case id, status
        case subscriptionID = "subscription_id"
        case webhookID = "webhook_id"
        case eventType = "event_type"
        case attemptCount = "attempt_count"
        case nextAttemptAt = "next_attempt_at"
        case lastAttemptAt = "last_attempt_at"
        case lastStatus = "last_status"
        case lastError = "last_error"
        case lastMilliseconds = "last_milliseconds"
        case replayOf = "replay_of"
        case createdAt = "created_at"
        case endedAt = "ended_at"
    }
}

/// A change to a subscription; what is nil stays as it is.
public struct WebhookChange: Sendable, Hashable, Encodable {
    public var url: String?
    /// Takes the place of the whole list.
    public var eventTypes: [EventType]?
    public var description: MemberChange<String>

    /// A change; a member that is not named stays as it is.
    public init(url: String? = nil, eventTypes: [EventType]? = nil, description: MemberChange<String> = .leave) {
        self.url = url
        self.eventTypes = eventTypes
        self.description = description
    }

    private enum CodingKeys: String, CodingKey {
        case url, description
        case eventTypes = "event_types"
    }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encodeIfPresent(url, forKey: .url)
        try members.encodeIfPresent(eventTypes, forKey: .eventTypes)
        try members.encode(description, forKey: .description)
    }
}
