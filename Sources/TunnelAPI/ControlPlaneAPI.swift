package import HTTPTransport
package import TunnelDomain
package import TunnelService
internal import TunnelWire

/// The REST API: finds the route, knows the caller, and lets a use case answer.
package struct ControlPlaneAPI: BufferedRequestHandler {
    /// The largest body of any call.
    package static let bodyByteCountMax = 1 << 20

    private let ports: ServicePorts
    private let authenticator: Authenticator
    private let gate: RequestGate
    private let once: AnswerOnce
    let table: RouteTable
    private let tally = APITally()
    private let instant: @Sendable () -> MonotonicInstant
    private let noteFault: FaultNote

    /// Hears of every fault of the service (5xx) with the request's id, for the log; neither argument holds a secret.
    package typealias FaultNote = @Sendable (_ requestID: String, _ fault: any Error) -> Void

    package init(
        ports: ServicePorts, rules: ServiceRules, readiness: any Readiness,
        metrics: any MetricsSource, metricsAccess: MetricsAccess = MetricsAccess(),
        instant: @escaping @Sendable () -> MonotonicInstant, noteFault: @escaping FaultNote = { _, _ in }
    ) {
        self.ports = ports
        self.instant = instant
        self.noteFault = noteFault
        authenticator = Authenticator(
            ports: ports, recordFailure: RecordAuthFailure(ports: ports, instant: instant))
        gate = RequestGate(rules.requests, now: instant)
        let once = AnswerOnce(ports: ports, inFlight: InFlightKeys())
        self.once = once
        table = RouteTable(
            routes: HealthRoutes(readiness: readiness).routes + DescriptionRoutes().routes
                + TunnelRoutes(ports: ports, rules: rules).routes
                + IdentityRoutes(ports: ports, rules: rules).routes + APIKeyRoutes(ports: ports, rules: rules).routes
                + AgentRoutes(ports: ports, once: once, attempts: AttemptLimit(rules.keyRotationAttempts)).routes
                + WhoAmIRoutes(ports: ports, rules: rules).routes + AppRoutes(ports: ports, rules: rules).routes
                + EventRoutes(ports: ports, rules: rules).routes + AuditRoutes(ports: ports).routes
                + WebhookRoutes(ports: ports, rules: rules).routes
                + MetricsRoutes(source: metrics, access: metricsAccess, tally: tally, feed: ports.feed).routes)
    }

    package func respond(to request: BufferedRequest) async -> BufferedResponse {
        let began = instant()
        let target = RequestTarget(request.head.target)
        let match = table.match(method: request.head.method, path: target.path)
        let answer = await answer(request, target, match)
        tally.answered(match.place, answer, after: instant() - began)
        var fields = answer.fields
        fields.append("x-request-id", request.requestID)
        fields.append("cache-control", "no-store")
        // What HEAD is answered must not have a body, and its length is for the transport to know.
        guard request.head.method != "HEAD" else { return BufferedResponse(status: answer.status, fields: fields) }
        return BufferedResponse(status: answer.status, fields: fields, body: answer.body, rest: answer.rest)
    }

    private func answer(
        _ request: BufferedRequest, _ target: RequestTarget, _ match: RouteTable.Match
    ) async -> APIAnswer {
        do {
            return try await route(request, target, match)
        } catch {
            let problem = Problem(anything: error)
            if problem.status >= 500 { noteFault(request.requestID, error) }
            return APIAnswer(problem, requestID: request.requestID)
        }
    }

    private func route(
        _ request: BufferedRequest, _ target: RequestTarget, _ match: RouteTable.Match
    ) async throws -> APIAnswer {
        if match.isMetered { try gate.admit(from: request.peer.address) }
        guard !request.isBodyTooLarge, request.body.count <= Self.bodyByteCountMax else { throw Problem.bodyTooLarge }
        switch match {
        case .nothing: throw Problem.noSuchPath
        case .otherMethods(let methods): throw Problem.methodNotAllowed(allowed: methods)
        case .route(let route, let parameters): return try await run(route, parameters, target, request)
        }
    }
}

// MARK: - Running a route

extension ControlPlaneAPI {
    private func run(
        _ route: Route, _ parameters: [String], _ target: RequestTarget, _ request: BufferedRequest
    ) async throws -> APIAnswer {
        switch route.handler {
        case .open(let handler):
            return await handler()
        case .operators(let handler):
            return try await handler(request)
        case .call(let handler):
            return try await handler(admit(request, to: route, parameters, target))
        case .unauthenticated(let handler):
            let key = try idempotencyKey(of: request)
            let call = UnauthenticatedCall(
                credential: PresentedCredential.single(in: request.head.fields), body: try body(of: request, by: .unused),
                idempotencyKey: key, ip: request.peer.address, requestID: request.requestID)
            return try await handler(call)
        case .stream(let handler):
            return try await handler(admit(request, to: route, parameters, target), watch(request, on: route))
        case .keyed(let handler):
            let call = try await admit(request, to: route, parameters, target)
            guard let key = try idempotencyKey(of: request) else { return try await handler(call, nil) }
            let organizationID = call.context.organizationID
            let once = KeyedRequest(
                organizationID: organizationID, key: key,
                fingerprint: fingerprint(of: request, at: target, by: call.context))
            return try await runOnce(once) { try await handler(call, $0) }
        }
    }

    private func runOnce(
        _ request: KeyedRequest, _ work: (AnswerKeeper) async throws -> APIAnswer
    ) async throws -> APIAnswer {
        switch try await once(request, work) {
        case .first(let answer): answer
        case .replayed(let kept): APIAnswer(replaying: kept)
        }
    }

    /// Authenticates, asks the permission table, and reads the body, in this order: strangers learn nothing of the rest.
    private func admit(
        _ request: BufferedRequest, to route: Route, _ parameters: [String], _ target: RequestTarget
    ) async throws -> APICall {
        let context = try await identify(request)
        switch route.access {
        case .everyone, .rotationSecret: break
        case .permitted(let action):
            guard Permission.decide(context.principal, action) == .allow else { throw context.forbidden(action) }
        }
        if route.method == "POST" { _ = try idempotencyKey(of: request) }
        return APICall(
            context: context, parameters: parameters, target: target, fields: request.head.fields,
            body: try body(of: request, by: route.body))
    }

    /// Knows the caller, and counts whether the credential counted or not.
    private func identify(_ request: BufferedRequest) async throws -> CallContext {
        do {
            let context = try await authenticator.context(of: request)
            try gate.admit(context.actor)
            return context
        } catch Refusal.unauthenticated {
            throw gate.failed(from: request.peer.address)
        } catch Refusal.addressNotAllowed(let address) {
            // Counts as a failure too: whoever tries a found key from elsewhere is slowed down like one who guesses.
            let refusal = gate.failed(from: address)
            throw refusal == .unauthenticated ? .addressNotAllowed(address) : refusal
        }
    }

    private func watch(_ request: BufferedRequest, on route: Route) -> StreamWatch {
        StreamWatch {
            do {
                return try await isAllowed(authenticator.context(of: request), route)
            } catch is Refusal {
                return false
            }
        } noteFault: {
            noteFault(request.requestID, $0)
        }
    }

    private func isAllowed(_ context: CallContext, _ route: Route) -> Bool {
        switch route.access {
        case .everyone, .rotationSecret: true
        case .permitted(let action): Permission.decide(context.principal, action) == .allow
        }
    }

    private func body(of request: BufferedRequest, by rule: Route.BodyRule) throws -> JSONValue {
        let value: JSONValue?
        do throws(JSONSyntaxError) {
            value = request.body.isEmpty ? nil : try JSONValue(parsing: request.body)
        } catch {
            throw Problem.malformed(error)
        }
        switch rule {
        case .unused: return value ?? .null
        case .objectOrNothing where value == nil: return .object([])
        case .object, .objectOrNothing:
            guard let value else { throw Problem(invalid: [FieldError("", "The body is missing; send a JSON object.")]) }
            guard case .object = value else {
                throw Problem(invalid: [FieldError("", "The body is \(value.kindDescription); send a JSON object.")])
            }
            return value
        }
    }
}

// MARK: - What the head says

extension ControlPlaneAPI {
    private func idempotencyKey(of request: BufferedRequest) throws -> IdempotencyKey? {
        let values = request.head.fields.all(.idempotencyKey)
        guard values.count <= 1 else {
            throw Problem(invalid: [FieldError("Idempotency-Key", "The header stands more than once; send it once.")])
        }
        do throws(IdempotencyKeyError) {
            guard let value = values.first else { return nil }
            return try IdempotencyKey(validating: value)
        } catch {
            throw Problem(invalid: [FieldError("Idempotency-Key", error.explanation)])
        }
    }

    /// Equal for equal requests; a trailing slash makes no other request.
    private func fingerprint(of request: BufferedRequest, at target: RequestTarget, by caller: CallContext) -> [UInt8] {
        let path = RoutePattern.split(target.path).joined(separator: "/")
        let line = "\(request.head.method) \(path)\(caller.replayMark)\n"
        return ports.hasher.sha256(Array(line.utf8) + request.body)
    }
}

extension CallContext {
    /// A narrowed key is given again only what it was answered itself: what others were answered may show more than it may see.
    fileprivate var replayMark: String {
        principal.kind.replayMark + (principal.bounds == .none ? "" : " key \(actor.id)")
    }
}

extension Principal.Kind {
    /// Differs for callers who may not see each other's kept answers, which may hold secrets.
    fileprivate var replayMark: String {
        switch self {
        case .adminKey: ""
        case .identityKey(let id): " identity \(id)"
        case .app(let scopes): " app \(scopes.text)"
        case .connectSecret(let id): " agent \(id)"
        }
    }
}

extension Problem {
    /// The answer to whatever was thrown.
    init(anything error: any Error) {
        if let problem = error as? Problem {
            self = problem
        } else if let refusal = error as? Refusal {
            self = Problem(refusal)
        } else if let error = error as? StoreError {
            self = Problem(error)
        } else {
            self = .internalError
        }
    }
}
