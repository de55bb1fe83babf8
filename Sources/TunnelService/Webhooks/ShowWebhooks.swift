package import TunnelDomain

/// Shows the organization's webhooks, newest first.
package struct ListWebhooks: Sendable {
    /// Which of them; nil stands for any.
    package struct Filter: Sendable, Hashable {
        package var identityID: IdentityID?
        package var url: String?
        package var eventType: String?

        package init(identityID: IdentityID? = nil, url: String? = nil, eventType: String? = nil) {
            self.identityID = identityID
            self.url = url
            self.eventType = eventType
        }

        func shows(_ webhook: WebhookRecord) -> Bool {
            (identityID == nil || webhook.identityID == identityID) && (url == nil || webhook.url == url)
                && (eventType.map(webhook.eventTypes.contains) ?? true)
        }
    }

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(
        _ range: ListRange, _ filter: Filter = Filter(), by call: CallContext
    ) async throws -> Page<WebhookRecord> {
        try await ports.look { store, _ in
            try call.require(.readWebhooks)
            return try range.gather(
                cursor: { ListCursor(createdAt: $0.createdAt, id: $0.id) }, shows: filter.shows,
                read: { try store.webhooks(of: call.organizationID, after: $0, limit: $1) })
        }
    }
}

/// Shows one webhook.
package struct GetWebhook: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(_ id: UUIDValue?, by call: CallContext) async throws -> WebhookRecord {
        try await ports.look { store, _ in try call.webhook(id, for: .readWebhooks, in: store) }
    }
}

/// Shows a webhook's deliveries, newest first.
package struct ListDeliveries: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(
        of id: UUIDValue?, _ range: ListRange, by call: CallContext
    ) async throws -> Page<WebhookDelivery> {
        try await ports.look { store, _ in
            let webhook = try call.webhook(id, for: .readWebhooks, in: store)
            return try range.gather(cursor: { ListCursor(createdAt: $0.createdAt, id: $0.id) }) {
                try store.deliveries(of: webhook.id, after: $0, limit: $1)
            }
        }
    }
}

/// Shows one delivery.
package struct GetDelivery: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(_ id: UUIDValue?, by call: CallContext) async throws -> WebhookDelivery {
        try await ports.look { store, _ in try call.delivery(id, for: .readWebhooks, in: store) }
    }
}
