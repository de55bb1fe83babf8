internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

extension WebhookRecord {
    /// The subscription object: every member is always there, in this order. Those that published clients require and this
    /// service does not have are null.
    var members: [JSONMember] {
        [
            JSONMember("id", .string(id.text)),
            JSONMember("organization_id", .string(organizationID.text)),
            JSONMember("agent_identity_id", .optional(identityID?.text)),
            JSONMember("owner_identity_id", .optional(identityID?.text)),
            JSONMember("mailbox_id", .null),
            JSONMember("phone_number_id", .null),
            JSONMember("url", .string(url)),
            JSONMember("event_types", .array(eventTypes.map { .string($0) })),
            JSONMember("description", .optional(description)),
            JSONMember("status", .string("active")),
            JSONMember("failing_since", .time(failingSince)),
            JSONMember("created_at", .time(createdAt)),
            JSONMember("updated_at", .time(updatedAt)),
        ]
    }
}

extension WebhookDelivery {
    /// The delivery object; `webhook_id` is what receivers know the event by.
    var document: JSONValue {
        .members([
            "id": .string(id.text),
            "subscription_id": .string(subscriptionID.text),
            "webhook_id": .string(eventID.text),
            "event_type": .string(eventType.rawValue),
            "status": .string(state.name),
            "attempt_count": .integer(attemptCount),
            "next_attempt_at": .time(nextAttemptAt),
            "last_attempt_at": .time(lastAttempt?.at),
            "last_status": lastAttempt?.status.map { .integer($0) } ?? .null,
            "last_error": .optional(lastAttempt?.error),
            "last_milliseconds": lastAttempt.map { .integer($0.milliseconds) } ?? .null,
            "replay_of": .optional(replayOf?.text),
            "created_at": .time(createdAt),
            "ended_at": .time(endedAt),
        ])
    }
}

extension CreateWebhook.Request {
    init(_ body: JSONValue, _ limits: WebhookLimits) throws(Problem) {
        var reader = MemberReader(body)
        let url = reader.webhookURL(limits)
        let filter = reader.eventFilter()
        let description = reader.webhookDescription()
        let owner = reader.webhookOwner()
        reader.refuseOtherWebhookMembers()
        try reader.check()
        guard let url, let filter else { preconditionFailure("what is missing has been refused above") }
        self.init(url: url, filter: filter, description: description.applied(to: nil), owner: owner)
    }
}

extension UpdateWebhook.Request {
    init(_ body: JSONValue, _ limits: WebhookLimits) throws(Problem) {
        var reader = MemberReader(body)
        let url = body["url"] == nil ? nil : reader.webhookURL(limits)
        let filter = body["event_types"] == nil ? nil : reader.eventFilter()
        let description = reader.webhookDescription()
        for name in ["agent_identity_id", "identity"] where body[name] != nil {
            reader.refuse(name, "It cannot be changed; create a new webhook instead.")
        }
        reader.refuseOtherWebhookMembers()
        try reader.check()
        self.init(url: url, filter: filter, description: description)
    }
}

extension MemberReader {
    fileprivate mutating func webhookURL(_ limits: WebhookLimits) -> WebhookURL? {
        guard let text = string("url") else { return nil }
        do throws(WebhookURL.Flaw) {
            let url = try WebhookURL(parsing: text)
            if !url.isTLS, !limits.allowsHTTP {
                refuse("url", "It is in clear text; use https://, or ask the operator to allow http://.")
            }
            // What names resolve to is looked at when they are called.
            let isAddress = IPBytes.parse(url.host) != nil
            let isLocal = url.host == "localhost" || url.host.hasSuffix(".localhost")
            if isAddress && !limits.addressPolicy.allows(url.host) || isLocal && !limits.allowsPrivateAddresses {
                refuse("url", "Its host is not of the public internet; use another, or ask the operator to allow it.")
            }
            return url
        } catch {
            refuse("url", error.description)
            return nil
        }
    }

    fileprivate mutating func eventFilter() -> EventFilter? {
        let elements: [JSONValue]
        switch body["event_types"] {
        case .array(let list): elements = list
        case nil:
            refuse("event_types", "It is missing; send an array such as [\"tunnel.*\"].")
            return nil
        case let other?:
            refuse("event_types", "It is \(other.kindDescription); send an array of types.")
            return nil
        }
        let patterns = elements.compactMap(\.stringValue)
        guard patterns.count == elements.count, !patterns.isEmpty, patterns.count <= EventFilter.patternCountMax else {
            refuse("event_types", "It must be an array of 1 to \(EventFilter.patternCountMax) strings.")
            return nil
        }
        do throws(UnknownEventType) {
            return try EventFilter(patterns)
        } catch {
            let index = patterns.firstIndex(of: error.pattern) ?? 0
            refuse("event_types/\(index)", "It is no type of event; tunnel.created, tunnel.* and * are.")
            return nil
        }
    }

    fileprivate mutating func webhookDescription() -> FieldChange<String> {
        let change = change("description")
        let max = WebhookLimits.descriptionScalarCountMax
        if let text = change.applied(to: nil) {
            if text.unicodeScalars.count > max { refuse("description", "It has more than \(max) characters.") }
            if text.unicodeScalars.contains("\0") { refuse("description", "It contains the character U+0000.") }
        }
        return change
    }

    fileprivate mutating func webhookOwner() -> CreateWebhook.Owner {
        let id = change("agent_identity_id").applied(to: nil)
        let handle = change("identity").applied(to: nil)
        if id != nil, handle != nil {
            refuse("identity", "Send either identity or agent_identity_id.")
        } else if let id {
            if let value = IdentityID(id) { return .identity(value) }
            refuse("agent_identity_id", "It is not the id of an identity.")
        } else if let handle {
            if let value = try? AgentHandle(validating: handle) { return .handle(value) }
            refuse("identity", "It is not the handle of an identity.")
        }
        return .organization
    }

    /// What clients of the other dialect may send, and what this service does not have; null asks for nothing.
    fileprivate mutating func refuseOtherWebhookMembers() {
        for name in ["mailbox_id", "phone_number_id", "context_config", "auth_token"] {
            switch body[name] {
            case nil, .null: continue
            default: refuse(name, "It is not offered here.")
            }
        }
    }
}
