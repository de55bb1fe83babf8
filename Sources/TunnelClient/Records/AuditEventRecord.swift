public import FoundationEssentials

/// A line of the audit trail (control plane §7): who did what to which thing, when, from where, and how it ended.
public struct AuditEventRecord: Sendable, Hashable, Codable {
    /// Who acted.
    public struct Actor: Sendable, Hashable, Codable {
        /// `api_key`, `agent`, `app`, `system` or another word.
        public var type: String
        public var id: String?
        /// For people to tell actors apart.
        public var label: String?
    }

    /// What it was done to.
    public struct Resource: Sendable, Hashable, Codable {
        /// `tunnel`, `identity`, `api_key`, `app` or another word.
        public var type: String
        public var id: String?
    }

    /// A UUID.
    public var id: String
    /// Its place in the organization's trail.
    public var sequence: Int64?
    public var occurredAt: Date
    /// `noun.verb`, such as `tunnel.create`.
    public var action: String
    /// Who did it.
    public var actor: Actor
    /// What it was done to.
    public var resource: Resource
    /// The caller's address; nil for what the service did by itself.
    public var ip: String?
    public var requestID: String?
    /// `success`, `refused` or another word.
    public var outcome: String
    /// What else is known of it; never a secret.
    public var details: JSONValue?
    /// The hash of the line before, in hexadecimal.
    public var previousHash: String?
    /// The hash over the line and ``previousHash``, in hexadecimal.
    public var hash: String?

    private enum CodingKeys: String, CodingKey {
        case id, sequence, action, actor, resource, ip, outcome, details, hash
        case occurredAt = "occurred_at"
        case requestID = "request_id"
        case previousHash = "previous_hash"
    }
}

/// Which lines of the audit trail to read; what is nil does not restrict.
public struct AuditFilter: Sendable, Hashable {
    /// The actor's id.
    public var actor: String?
    /// `noun.verb`.
    public var action: String?
    /// The resource's id.
    public var resource: String?
    /// The first moment to read.
    public var since: Date?
    /// The moment to stop before.
    public var until: Date?

    /// A filter; without arguments it lets everything through.
    public init(
        actor: String? = nil, action: String? = nil, resource: String? = nil, since: Date? = nil, until: Date? = nil
    ) {
        self.actor = actor
        self.action = action
        self.resource = resource
        self.since = since
        self.until = until
    }
}
