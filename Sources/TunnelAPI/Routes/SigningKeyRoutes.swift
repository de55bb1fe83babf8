internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// The calls on webhook signing keys (control plane, section 4), also where older clients look for them.
struct SigningKeyRoutes: Sendable {
    static let path = "/api/v1/identities/{handle}/signing-key"
    static let pathWithoutHandle = "/api/v1/signing-keys"

    let ports: ServicePorts

    var routes: [Route] {
        [Self.path, Self.pathWithoutHandle].flatMap { path in
            [
                Route(
                    method: "GET", pattern: RoutePattern(path), access: .permitted(.readSigningKey), body: .unused,
                    handler: .call(status)),
                Route(
                    method: "POST", pattern: RoutePattern(path), access: .permitted(.rotateSigningKey), body: .unused,
                    handler: .keyed(rotate)),
            ]
        }
    }

    @Sendable private func status(_ call: APICall) async throws -> APIAnswer {
        let setAt = try await GetSigningKeyStatus(ports: ports)(call.signingKeySubject, by: call.context)
        return APIAnswer(200, .members(["configured": .bool(setAt != nil), "created_at": .time(setAt)]))
    }

    @Sendable private func rotate(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        try await ports.answer(call, keeper) { store, now in
            try RotateSigningKey(ports: ports).decide(call.signingKeySubject, by: call.context, in: store, at: now).map { new in
                let status =
                    switch new.answer {
                    case .created: 201;
                    case .rotated: 200
                    }
                return APIAnswer(
                    status, .members(["signing_key": .string(new.signingKey), "created_at": .time(new.setAt)]))
            }
        }
    }
}

extension APICall {
    fileprivate var signingKeySubject: SigningKeySubject { parameters.isEmpty ? .caller : .handle(agentHandle) }
}
