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
        let list = ListTunnels(ports: ports)
        switch try ListQuery(call.target) {
        case .everything:
            let all = try await list.all(by: call.context)
            return APIAnswer(200, .members(["tunnels": .array(try all.map(document))]))
        case .page(let cursor, let limit):
            let page = try await list.page(after: cursor, limit: limit, by: call.context)
            var members = [JSONMember("tunnels", .array(try page.tunnels.map(document)))]
            if let next = page.next { members.append(JSONMember("next_cursor", .string(next.token))) }
            return APIAnswer(200, .object(members))
        }
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
        return try await commit(call, nil) { store, now in
            try UpdateTunnel(ports: ports).decide(call.tunnelID, request, by: call.context, in: store, at: now)
                .map { APIAnswer(200, try document($0)) }
        }
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIAnswer {
        try await commit(call, nil) { store, now in
            try DeleteTunnel(ports: ports).decide(call.tunnelID, by: call.context, in: store, at: now)
                .map { APIAnswer(200, try document($0)) }
        }
    }

    @Sendable private func restore(_ call: APICall) async throws -> APIAnswer {
        try await commit(call, nil) { store, now in
            try RestoreTunnel(ports: ports).decide(call.tunnelID, by: call.context, in: store, at: now)
                .map { APIAnswer(200, try document($0)) }
        }
    }

    @Sendable private func forceDelete(_ call: APICall) async throws -> APIAnswer {
        try await commit(call, nil) { store, now in
            try ForceDeleteTunnel(ports: ports).decide(call.tunnelID, by: call.context, in: store, at: now)
                .map { APIAnswer(200, try document($0)) }
        }
    }
}

// MARK: - Creating and rotating

extension TunnelRoutes {
    @Sendable private func create(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        let request = try CreateTunnel.Request(call.body)
        return try await commit(call, keeper) { store, now in
            try CreateTunnel(ports: ports, rules: rules).decide(request, by: call.context, in: store, at: now).map {
                let value = JSONValue.members([
                    "tunnel": try document($0.snapshot), "connect_secret": .string($0.connectSecret),
                ])
                return limited(APIAnswer(201, value), by: $0.rateLimit)
            }
        }
    }

    @Sendable private func rotateSecret(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        try await commit(call, keeper) { store, now in
            try RotateConnectSecret(ports: ports, rules: rules)
                .decide(call.tunnelID, by: call.context, in: store, at: now)
                .map { limited(APIAnswer(200, .members(["connect_secret": .string($0.connectSecret)])), by: $0.rateLimit) }
        }
    }

    @Sendable private func signCSR(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        let body = try SigningBody(call.body)
        let sign = SignCSR(ports: ports, rules: rules)
        let certificate = try await sign.issue(call.tunnelID, csrPEM: body.csrPEM, by: call.context)
        return try await commit(call, keeper) { store, now in
            try sign.decide(call.tunnelID, certificate, by: call.context, in: store, at: now).map {
                let value = JSONValue.members([
                    "cert_pem": .string($0.certificate.pem),
                    "chain_pem": .string($0.certificate.chainPEM),
                    "cert_fingerprint_sha256": .string($0.certificate.fingerprintSHA256),
                    "cert_expires_at": .time($0.certificate.validity.notAfter),
                ])
                return limited(APIAnswer(200, value), by: $0.rateLimit)
            }
        }
    }

    private func limited(_ answer: APIAnswer, by report: RateLimitReport) -> APIAnswer {
        var answer = answer
        answer.fields.append(report)
        return answer
    }
}

// MARK: - Committing

extension TunnelRoutes {
    /// Runs the use case in one transaction, in which its answer is also kept, if there is a keeper.
    ///
    /// A refusal is an answer too: it is final for this key, and nothing was written before it.
    private func commit(
        _ call: APICall, _ keeper: AnswerKeeper?,
        _ decide: @Sendable (any StoreWriting, Timestamp) throws -> Change<APIAnswer>
    ) async throws -> APIAnswer {
        guard let keeper else { return try await ports.commit(decide) }
        return try await ports.commit { store, now in
            let change: Change<APIAnswer>
            do {
                change = try decide(store, now)
            } catch let refusal as Refusal {
                change = Change(APIAnswer(Problem(refusal), requestID: call.context.requestID))
            }
            try keeper.keep(change.answer.kept, in: store, at: now)
            return change
        }
    }
}
