package import TunnelDomain
package import TunnelWire

/// Has an organization called at a URL when something happens, with a signing secret that is shown once.
package struct CreateWebhook: Sendable {
    package struct Request: Sendable, Hashable {
        package let url: WebhookURL
        package let filter: EventFilter
        package let description: String?
        package let owner: Owner

        package init(url: WebhookURL, filter: EventFilter, description: String?, owner: Owner) {
            self.url = url
            self.filter = filter
            self.description = description
            self.owner = owner
        }
    }

    /// Whose events are delivered.
    package enum Owner: Sendable, Hashable {
        case organization
        case identity(IdentityID)
        case handle(AgentHandle)
    }

    package struct Created: Sendable {
        package let webhook: WebhookRecord
        /// The only copy in the open outside the caller's hands is this one.
        package let secret: String
    }

    private let ports: ServicePorts
    private let rules: ServiceRules

    package init(ports: ServicePorts, rules: ServiceRules) {
        self.ports = ports
        self.rules = rules
    }

    package func decide(
        _ request: Request, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Created> {
        try call.require(.writeWebhooks)
        let identityID = try identity(request.owner, call, store)
        let max = rules.webhooks.perOrganizationMax
        guard try store.webhookCount(of: call.organizationID) < max else { throw Refusal.tooManyWebhooks(max: max) }

        let secrets = WebhookSecrets(ports: ports)
        let id = UUIDValue(randomBytes: ports.randomness.bytes(16))
        let secret = secrets.make()
        let webhook = WebhookRecord(
            id: id, organizationID: call.organizationID, identityID: identityID, url: request.url.text,
            eventTypes: request.filter.patterns, description: request.description,
            sealedSecret: try secrets.seal(secret, of: id), createdAt: now, updatedAt: now)
        try store.insert(webhook)
        try AuditTrail(ports: ports).append(
            .webhookCreate, .webhook, id.text, by: call, in: store, at: now, details: webhook.auditDetails)
        return Change(Created(webhook: webhook, secret: secret))
    }

    private func identity(_ owner: Owner, _ call: CallContext, _ store: any StoreReading) throws -> IdentityID? {
        switch owner {
        case .organization: nil
        case .identity(let id): try call.identity(id, for: .writeWebhooks, in: store).id
        case .handle(let handle): try call.identity(handle, for: .writeWebhooks, in: store).id
        }
    }
}

extension WebhookRecord {
    /// What the audit trail remembers; a URL may carry a token in its query, so only what stands before it.
    var auditDetails: [EventDraft.Member] {
        [
            EventDraft.Member("url", String(url.prefix { $0 != "?" })),
            EventDraft.Member("event_types", eventTypes.joined(separator: " ")),
        ]
    }
}

extension CallContext {
    /// The webhook with this id, if it is there and the caller may do this to it.
    func webhook(_ id: UUIDValue?, for action: Permission.Action, in store: any StoreReading) throws -> WebhookRecord {
        try require(action)
        guard let id, let webhook = try store.webhook(id) else { throw Refusal.noSuchWebhook }
        let resource = Permission.Resource(organizationID: webhook.organizationID, identityID: webhook.identityID)
        switch Permission.decide(principal, action, on: resource) {
        case .allow: return webhook
        case .forbid: throw forbidden(action)
        case .hide: throw Refusal.noSuchWebhook
        }
    }

    /// The delivery with this id, if the caller may do this to its webhook.
    func delivery(_ id: UUIDValue?, for action: Permission.Action, in store: any StoreReading) throws -> WebhookDelivery {
        try require(action)
        guard let id, let delivery = try store.delivery(id) else { throw Refusal.noSuchDelivery }
        do {
            _ = try webhook(delivery.subscriptionID, for: action, in: store)
        } catch Refusal.noSuchWebhook {
            throw Refusal.noSuchDelivery
        }
        return delivery
    }
}
