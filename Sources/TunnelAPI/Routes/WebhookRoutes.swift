internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// Webhooks out and their deliveries (control plane, section 7).
struct WebhookRoutes: Sendable {
    let ports: ServicePorts
    let rules: ServiceRules

    private static let base = "/api/v1/webhooks/subscriptions"

    var routes: [Route] {
        [
            route("POST", Self.base, .writeWebhooks, .object, .keyed(create)),
            route("GET", Self.base, .readWebhooks, .unused, .call(list)),
            route("GET", Self.base + "/{id}", .readWebhooks, .unused, .call(get)),
            route("PATCH", Self.base + "/{id}", .writeWebhooks, .object, .call(update)),
            route("DELETE", Self.base + "/{id}", .writeWebhooks, .unused, .call(delete)),
            route("POST", Self.base + "/{id}/rotate-secret", .writeWebhooks, .unused, .keyed(rotateSecret)),
            route("GET", Self.base + "/{id}/deliveries", .readWebhooks, .unused, .call(listDeliveries)),
            route("GET", "/api/v1/webhooks/deliveries/{id}", .readWebhooks, .unused, .call(getDelivery)),
            route("POST", "/api/v1/webhooks/deliveries/{id}/replay", .writeWebhooks, .unused, .keyed(replay)),
        ]
    }

    private func route(
        _ method: String, _ path: String, _ action: Permission.Action, _ body: Route.BodyRule, _ handler: Route.Handler
    ) -> Route {
        Route(method: method, pattern: RoutePattern(path), access: .permitted(action), body: body, handler: handler)
    }
}

extension WebhookRoutes {
    @Sendable private func create(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        let request = try CreateWebhook.Request(call.body, rules.webhooks)
        return try await ports.answer(call, keeper) { store, now in
            try CreateWebhook(ports: ports, rules: rules).decide(request, by: call.context, in: store, at: now).map {
                // A client of the other dialect looks for the identity's key here; it is made by its own call.
                let shown = [JSONMember("secret", .string($0.secret)), JSONMember("signing_key", .null)]
                return APIAnswer(201, .object($0.webhook.members + shown))
            }
        }
    }

    @Sendable private func list(_ call: APICall) async throws -> APIAnswer {
        try await ListWebhooks(ports: ports)(ListRange(call.target), ListWebhooks.Filter(call.target), by: call.context)
            .answer("subscriptions") { .object($0.members) }
    }

    @Sendable private func get(_ call: APICall) async throws -> APIAnswer {
        APIAnswer(200, .object(try await GetWebhook(ports: ports)(call.uuid, by: call.context).members))
    }

    @Sendable private func update(_ call: APICall) async throws -> APIAnswer {
        let request = try UpdateWebhook.Request(call.body, rules.webhooks)
        return try await ports.answer(call) { store, now in
            try UpdateWebhook(ports: ports).decide(call.uuid, request, by: call.context, in: store, at: now)
                .map { APIAnswer(200, .object($0.members)) }
        }
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIAnswer {
        try await ports.answer(call) { store, now in
            try DeleteWebhook(ports: ports).decide(call.uuid, by: call.context, in: store, at: now).map { .noContent }
        }
    }

    @Sendable private func rotateSecret(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        try await ports.answer(call, keeper) { store, now in
            try RotateWebhookSecret(ports: ports).decide(call.uuid, by: call.context, in: store, at: now)
                .map { APIAnswer(200, .members(["secret": .string($0)])) }
        }
    }

    @Sendable private func listDeliveries(_ call: APICall) async throws -> APIAnswer {
        try await ListDeliveries(ports: ports)(of: call.uuid, ListRange(call.target), by: call.context)
            .answer("deliveries") { $0.document }
    }

    @Sendable private func getDelivery(_ call: APICall) async throws -> APIAnswer {
        APIAnswer(200, try await GetDelivery(ports: ports)(call.uuid, by: call.context).document)
    }

    @Sendable private func replay(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        let answer = try await ports.answer(call, keeper) { store, now in
            try ReplayDelivery(ports: ports).decide(call.uuid, by: call.context, in: store, at: now)
                .map { APIAnswer(202, $0.document) }
        }
        ports.feed.announceDeliveries()
        return answer
    }
}

extension APICall {
    /// The id that the path names; nil for a text that is none, which is treated like an unknown id.
    fileprivate var uuid: UUIDValue? { parameters.first.flatMap { UUIDValue($0) } }
}

extension ListWebhooks.Filter {
    /// What a list was asked for in the query.
    init(_ target: RequestTarget) throws(Problem) {
        self.init(url: target.firstValue(of: "url"), eventType: target.firstValue(of: "event_type"))
        guard let text = target.firstValue(of: "agent_identity_id") else { return }
        guard let id = IdentityID(text) else {
            throw Problem(invalid: [FieldError("?agent_identity_id", "It is not the id of an identity.")])
        }
        identityID = id
    }
}
