internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// What an agent does for itself (control plane, section 5).
struct AgentRoutes: Sendable {
    /// The paths of the published document, below the API's root and its version.
    static let paths = [
        "/v1/agents/self/rotate-key", "/api/v1/agents/self/rotate-key", "/api/agents/self/rotate-key",
    ]

    let ports: ServicePorts
    let once: AnswerOnce
    let attempts: AttemptLimit

    var routes: [Route] {
        Self.paths.map { path in
            Route(
                method: "POST", pattern: RoutePattern(path), access: .rotationSecret, body: .object,
                handler: .unauthenticated(rotate))
        }
    }

    /// A repeated request gets its answer before anything is counted: what an agent has lost it must be able to get back.
    @Sendable private func rotate(_ call: UnauthenticatedCall) async throws -> APIAnswer {
        let secret = try Self.rotationSecret(in: call.body)
        let key =
            switch call.credential {
            case .apiKey(let text): text;
            case .app, .unreadable, nil: ""
            }
        let attempt = RotateOwnKey.Attempt(
            apiKey: key, rotationSecret: secret, ip: call.ip, requestID: call.requestID)
        let rotation = RotateOwnKey(ports: ports)
        guard let name = call.idempotencyKey, let request = try await rotation.keyed(attempt, name) else {
            return try await rotate(attempt, nil)
        }
        switch try await once.whereSame(request, { keeper in try await rotate(attempt, keeper) }) {
        case .first(let answer): return answer
        case .replayed(let kept): return APIAnswer(replaying: kept)
        }
    }

    private func rotate(_ attempt: RotateOwnKey.Attempt, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        let report = try attempts.requireRoom(for: attempt.ip, at: ports.clock.now)
        return try await ports.commit { store, now in
            let change = try RotateOwnKey(ports: ports).decide(attempt, in: store, at: now) { store in
                try keeper?.requireFree(in: store, at: now)
            }
            return try change.map { outcome in
                let answer: APIAnswer
                switch outcome {
                // Never kept: whoever has wrong credentials must not overwrite what was kept for the right ones.
                case .refused(let refusal): answer = APIAnswer(Problem(refusal), requestID: attempt.requestID)
                case .rotated(let rotated):
                    answer = APIAnswer(200, document(of: rotated))
                    try keeper?.keep(answer.kept, in: store, at: now)
                }
                return answer.limited(by: report)
            }
        }
    }

    private func document(of rotated: RotateOwnKey.Rotated) -> JSONValue {
        .members([
            "message": .string("The API key and the rotation secret are new. Keep both: they are not shown again."),
            "apiKey": .string(rotated.key.apiKey),
            "rotationSecret": .optional(rotated.key.rotationSecret),
            "agentId": .string(rotated.identity.id.text),
            "agentName": .string(rotated.identity.handle.text),
        ])
    }

    /// The published document answers 400, and not 422, when there is none.
    private static func rotationSecret(in body: JSONValue) throws(Problem) -> String {
        switch body["rotationSecret"] {
        case .string(let text) where !text.isEmpty: return text
        case nil, .null, .string:
            throw Problem(
                400, "rotation-secret-missing", title: "No rotation secret",
                detail: "The body has no rotationSecret; send the one that came with the API key.")
        case let other?:
            throw Problem(
                invalid: [FieldError("/rotationSecret", "It is \(other.kindDescription); send a string.")])
        }
    }
}

/// A well-formed request whose credentials are still to be judged.
struct UnauthenticatedCall: Sendable {
    /// The one credential of the request, if there is exactly one.
    let credential: PresentedCredential?
    /// Null when there is no body.
    let body: JSONValue
    let idempotencyKey: IdempotencyKey?
    /// The caller's IP address without port.
    let ip: String
    let requestID: String
}
