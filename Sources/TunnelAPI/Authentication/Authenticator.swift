internal import HTTPTransport
internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// Tells who sends a request. Whatever is wrong with the credential, the answer is the same 401.
struct Authenticator: Sendable {
    let ports: ServicePorts
    let recordFailure: RecordAuthFailure

    func context(of request: BufferedRequest) async throws -> CallContext {
        switch try await judge(PresentedCredential.single(in: request.head.fields), from: request.peer.address) {
        case .accepted(let caller):
            return CallContext(
                principal: caller.principal, actor: caller.actor, ip: request.peer.address, requestID: request.requestID)
        case .refused(let caller, let reason):
            // Not waited for: how long an answer takes must not tell a revoked credential from one that never was.
            Task { await note(caller, reason, request) }
            throw Refusal.unauthenticated
        case .misplaced(let caller):
            Task { await note(caller, "the key may not be used from this address", request) }
            throw Refusal.addressNotAllowed(request.peer.address)
        case .unknown: throw Refusal.unauthenticated
        }
    }

    private func note(_ caller: Caller, _ reason: String, _ request: BufferedRequest) async {
        await recordFailure(
            RecordAuthFailure.Failure(
                organizationID: caller.principal.organizationID, actor: caller.actor, reason: reason,
                ip: request.peer.address, requestID: request.requestID))
    }

    private struct Caller {
        var principal: Principal
        var actor: AuditActor
    }

    private func judge(_ credential: PresentedCredential?, from address: String) async throws -> Authentication<Caller> {
        switch credential {
        case .apiKey(let key):
            try await AuthenticateAPIKey(ports: ports).judge(key, from: address)
                .map { Caller(principal: $0.principal, actor: $0.actor) }
        case .app(let pair):
            try await AuthenticateApp(ports: ports).judge(id: pair.userID, secret: pair.password)
                .map { Caller(principal: $0.principal, actor: $0.actor) }
        case .unreadable, nil: .unknown
        }
    }
}
