internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// The calls on tunnels (control plane, section 3).
struct TunnelRoutes: Sendable {
    let ports: ServicePorts
    let rules: ServiceRules

    var routes: [Route] {
        [
            route("GET", "", .listTunnels, .unused, .call(list)),
            route("POST", "", .createTunnel, .object, .keyed(create)),
            route("GET", "/{id}", .readTunnel, .unused, .call(get)),
            route("PATCH", "/{id}", .updateTunnel, .object, .call(update)),
            route("DELETE", "/{id}", .deleteTunnel, .unused, .call(delete)),
            route("POST", "/{id}/restore", .restoreTunnel, .unused, .call(restore)),
            route("DELETE", "/{id}/force", .forceDeleteTunnel, .unused, .call(forceDelete)),
            route("POST", "/{id}/rotate-secret", .rotateConnectSecret, .unused, .keyed(rotateSecret)),
            route("POST", "/{id}/sign-csr", .signCertificate, .object, .keyed(signCSR)),
        ]
    }

    private func route(
        _ method: String, _ path: String, _ action: Permission.Action, _ body: Route.BodyRule, _ handler: Route.Handler
    ) -> Route {
        Route(
            method: method, pattern: RoutePattern("/api/v1/tunnels" + path), access: .permitted(action), body: body,
            handler: handler)
    }
}

// MARK: - Reading

extension TunnelRoutes {
    @Sendable private func list(_ call: APICall) async throws -> APIAnswer {
        try await ListTunnels(ports: ports)(ListRange(call.target), by: call.context).answer("tunnels", document)
    }

    @Sendable private func get(_ call: APICall) async throws -> APIAnswer {
        APIAnswer(200, try document(try await GetTunnel(ports: ports)(call.tunnelID, by: call.context)))
    }

    private func document(_ snapshot: TunnelSnapshot) throws -> JSONValue {
        try TunnelDocument(snapshot: snapshot, zone: rules.zone).value()
    }
}

// MARK: - Changing

extension TunnelRoutes {
    @Sendable private func update(_ call: APICall) async throws -> APIAnswer {
        let request = try UpdateTunnel.Request(call.body)
        return try await ports.answer(call) { store, now in
            try UpdateTunnel(ports: ports).decide(call.tunnelID, request, by: call.context, in: store, at: now)
                .map { APIAnswer(200, try document($0)) }
        }
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIAnswer {
        try await ports.answer(call) { store, now in
            try DeleteTunnel(ports: ports).decide(call.tunnelID, by: call.context, in: store, at: now)
                .map { APIAnswer(200, try document($0)) }
        }
    }

    @Sendable private func restore(_ call: APICall) async throws -> APIAnswer {
        try await ports.answer(call) { store, now in
            try RestoreTunnel(ports: ports).decide(call.tunnelID, by: call.context, in: store, at: now)
                .map { APIAnswer(200, try document($0)) }
        }
    }

    @Sendable private func forceDelete(_ call: APICall) async throws -> APIAnswer {
        try await ports.answer(call) { store, now in
            try ForceDeleteTunnel(ports: ports).decide(call.tunnelID, by: call.context, in: store, at: now)
                .map { APIAnswer(200, try document($0)) }
        }
    }
}

// MARK: - Creating and rotating

extension TunnelRoutes {
    @Sendable private func create(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        let request = try CreateTunnel.Request(call.body)
        return try await ports.answer(call, keeper) { store, now in
            try CreateTunnel(ports: ports, rules: rules).decide(request, by: call.context, in: store, at: now).map {
                let value = JSONValue.members([
                    "tunnel": try document($0.snapshot), "connect_secret": .string($0.connectSecret),
                ])
                return APIAnswer(201, value).limited(by: $0.rateLimit)
            }
        }
    }

    @Sendable private func rotateSecret(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        try await ports.answer(call, keeper) { store, now in
            try RotateConnectSecret(ports: ports, rules: rules)
                .decide(call.tunnelID, by: call.context, in: store, at: now)
                .map { APIAnswer(200, .members(["connect_secret": .string($0.connectSecret)])).limited(by: $0.rateLimit) }
        }
    }

    @Sendable private func signCSR(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        let body = try SigningBody(call.body)
        let sign = SignCSR(ports: ports, rules: rules)
        let certificate = try await sign.issue(call.tunnelID, csrPEM: body.csrPEM, by: call.context)
        return try await ports.answer(call, keeper) { store, now in
            try sign.decide(call.tunnelID, certificate, by: call.context, in: store, at: now).map {
                let value = JSONValue.members([
                    "cert_pem": .string($0.certificate.pem),
                    "chain_pem": .string($0.certificate.chainPEM),
                    "cert_fingerprint_sha256": .string($0.certificate.fingerprintSHA256),
                    "cert_expires_at": .time($0.certificate.validity.notAfter),
                ])
                return APIAnswer(200, value).limited(by: $0.rateLimit)
            }
        }
    }
}
