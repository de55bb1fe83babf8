internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// The calls on identities (control plane, section 4).
struct IdentityRoutes: Sendable {
    let ports: ServicePorts
    let rules: ServiceRules

    var routes: [Route] {
        [
            route("GET", "", .listIdentities, .unused, .call(list)),
            route("POST", "", .createIdentity, .object, .keyed(create)),
            route("GET", "/{handle}", .readIdentity, .unused, .call(get)),
            route("PATCH", "/{handle}", .updateIdentity, .object, .call(update)),
            route("DELETE", "/{handle}", .deleteIdentity, .unused, .call(delete)),
        ] + SigningKeyRoutes(ports: ports).routes
    }

    private func route(
        _ method: String, _ path: String, _ action: Permission.Action, _ body: Route.BodyRule, _ handler: Route.Handler
    ) -> Route {
        Route(
            method: method, pattern: RoutePattern("/api/v1/identities" + path), access: .permitted(action), body: body,
            handler: handler)
    }

    private func document(_ snapshot: IdentitySnapshot) -> JSONValue {
        IdentityDocument(snapshot: snapshot, zone: rules.zone).value
    }
}

extension IdentityRoutes {
    @Sendable private func list(_ call: APICall) async throws -> APIAnswer {
        try await ListIdentities(ports: ports)(ListRange(call.target), by: call.context).bareAnswer(call.target, document)
    }

    @Sendable private func get(_ call: APICall) async throws -> APIAnswer {
        APIAnswer(200, document(try await GetIdentity(ports: ports)(call.agentHandle, by: call.context)))
    }

    @Sendable private func create(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        let request = try CreateIdentity.Request(call.body)
        return try await ports.answer(call, keeper) { store, now in
            try CreateIdentity(ports: ports, rules: rules).decide(request, by: call.context, in: store, at: now)
                .map { APIAnswer(201, document($0.snapshot)).limited(by: $0.rateLimit) }
        }
    }

    @Sendable private func update(_ call: APICall) async throws -> APIAnswer {
        let request = try UpdateIdentity.Request(call.body)
        return try await ports.answer(call) { store, now in
            try UpdateIdentity(ports: ports, rules: rules)
                .decide(call.agentHandle, request, by: call.context, in: store, at: now)
                .map { APIAnswer(200, document($0)) }
        }
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIAnswer {
        try await ports.answer(call) { store, now in
            try DeleteIdentity(ports: ports).decide(call.agentHandle, by: call.context, in: store, at: now)
                .map { .noContent }
        }
    }
}
