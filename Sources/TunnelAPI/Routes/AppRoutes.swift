internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// Apps and their secrets (control plane, section 6).
struct AppRoutes: Sendable {
    let ports: ServicePorts
    let rules: ServiceRules

    /// Where clients of the documented dialect rotate an app's secret.
    static let connectPath = "/connect/v1/apps/{client_id}/rotate-client-secret"

    var routes: [Route] {
        [
            route("GET", "/api/v1/apps", .readApps, .unused, .call(list)),
            route("POST", "/api/v1/apps", .createApp, .object, .keyed(create)),
            route("GET", "/api/v1/apps/{client_id}", .readApps, .unused, .call(get)),
            route("DELETE", "/api/v1/apps/{client_id}", .deleteApp, .unused, .call(delete)),
            route("POST", "/api/v1/apps/{client_id}/rotate-client-secret", .rotateClientSecret, .unused, .keyed(rotate)),
            route("POST", Self.connectPath, .rotateClientSecret, .unused, .keyed(rotate)),
        ]
    }

    private func route(
        _ method: String, _ path: String, _ action: Permission.Action, _ body: Route.BodyRule, _ handler: Route.Handler
    ) -> Route {
        Route(method: method, pattern: RoutePattern(path), access: .permitted(action), body: body, handler: handler)
    }
}

extension AppRoutes {
    @Sendable private func list(_ call: APICall) async throws -> APIAnswer {
        try await ListApps(ports: ports)(ListRange(call.target), by: call.context).answer("apps") { $0.document }
    }

    @Sendable private func get(_ call: APICall) async throws -> APIAnswer {
        APIAnswer(200, try await GetApp(ports: ports)(call.appID, by: call.context).document)
    }

    @Sendable private func create(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        let request = try CreateApp.Request(call.body)
        return try await ports.answer(call, keeper) { store, now in
            try CreateApp(ports: ports, rules: rules).decide(request, by: call.context, in: store, at: now).map {
                APIAnswer(201, .object($0.app.members + [JSONMember("client_secret", .string($0.clientSecret))]))
            }
        }
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIAnswer {
        try await ports.answer(call) { store, now in
            try DeleteApp(ports: ports).decide(call.appID, by: call.context, in: store, at: now).map { .noContent }
        }
    }

    @Sendable private func rotate(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        try await ports.answer(call, keeper) { store, now in
            try RotateClientSecret(ports: ports).decide(call.appID, by: call.context, in: store, at: now).map {
                APIAnswer(200, .members(["clientSecret": .string($0)]))
            }
        }
    }
}

extension APICall {
    /// The app that the path names; nil for a text that is no id, which is treated like an unknown id.
    fileprivate var appID: AppID? { parameters.first.flatMap { AppID($0) } }
}
