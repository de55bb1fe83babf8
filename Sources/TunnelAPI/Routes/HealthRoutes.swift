internal import TunnelWire

/// What operators and their load balancers ask (control plane, section 8).
struct HealthRoutes: Sendable {
    let readiness: any Readiness

    var routes: [Route] {
        [
            Route(
                method: "GET", pattern: RoutePattern("/healthz"), access: .everyone, body: .unused,
                handler: .open { APIAnswer(200, .members(["status": .string("ok")])) }, isMetered: false),
            Route(
                method: "GET", pattern: RoutePattern("/readyz"), access: .everyone, body: .unused,
                handler: .open { await readyz() }, isMetered: false),
        ]
    }

    private func readyz() async -> APIAnswer {
        let checks = await readiness.check()
        let isReady = checks.allSatisfy { $0.problem == nil }
        let members = checks.map { JSONMember($0.name, .string($0.problem ?? "ok")) }
        return APIAnswer(
            isReady ? 200 : 503,
            .members(["status": .string(isReady ? "ready" : "not ready"), "checks": .object(members)]))
    }
}
