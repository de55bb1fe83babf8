package import HTTPTransport
internal import TunnelDomain
package import TunnelService
internal import TunnelWire

/// The REST API: finds the route, knows the caller, and lets a use case answer.
package struct ControlPlaneAPI: BufferedRequestHandler {
    /// The largest body of any call.
    package static let bodyByteCountMax = 1 << 20

    private let ports: ServicePorts
    private let once: AnswerOnce
    private let table: RouteTable
    private let noteFault: FaultNote

    /// Hears of every fault of the service (5xx) with the request's id, for the log; neither argument holds a secret.
    package typealias FaultNote = @Sendable (_ requestID: String, _ fault: any Error) -> Void

    package init(
        ports: ServicePorts, rules: ServiceRules, readiness: any Readiness, noteFault: @escaping FaultNote = { _, _ in }
    ) {
        self.ports = ports
        self.noteFault = noteFault
        once = AnswerOnce(ports: ports, inFlight: InFlightKeys())
        table = RouteTable(
            routes: HealthRoutes(readiness: readiness).routes + TunnelRoutes(ports: ports, rules: rules).routes)
    }

    package func respond(to request: BufferedRequest) async -> BufferedResponse {
        let answer = await answer(request)
        var fields = answer.fields
        fields.append("x-request-id", request.requestID)
        fields.append("cache-control", "no-store")
        // What HEAD is answered must not have a body, and its length is for the transport to know.
        return BufferedResponse(
            status: answer.status, fields: fields, body: request.head.method == "HEAD" ? [] : answer.body)
    }

    private func answer(_ request: BufferedRequest) async -> APIAnswer {
        do {
            return try await route(request)
        } catch {
            let problem = Problem(anything: error)
            if problem.status >= 500 { noteFault(request.requestID, error) }
            return APIAnswer(problem, requestID: request.requestID)
        }
    }

    private func route(_ request: BufferedRequest) async throws -> APIAnswer {
        guard !request.isBodyTooLarge, request.body.count <= Self.bodyByteCountMax else { throw Problem.bodyTooLarge }
        let target = RequestTarget(request.head.target)
        switch table.match(method: request.head.method, path: target.path) {
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
        case .call(let handler):
            return try await handler(admit(request, to: route, parameters, target))
        case .keyed(let handler):
            let call = try await admit(request, to: route, parameters, target)
            guard let key = try idempotencyKey(of: request) else { return try await handler(call, nil) }
            let organizationID = call.context.organizationID
            let once = KeyedRequest(organizationID: organizationID, key: key, fingerprint: fingerprint(of: request, at: target))
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
        let context = try await authenticate(request)
        switch route.access {
        case .everyone: break
        case .permitted(let action):
            guard Permission.decide(context.principal, action) == .allow else { throw Refusal.forbidden(action) }
        }
        if route.method == "POST" { _ = try idempotencyKey(of: request) }
        return APICall(
            context: context, parameters: parameters, target: target, body: try body(of: request, by: route.body))
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
        case .object:
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
    private func authenticate(_ request: BufferedRequest) async throws -> CallContext {
        let presented = Set(PresentedKeys(request.head.fields).keys)
        // Two different credentials would leave it to chance who is asking.
        guard presented.count == 1, let key = presented.first, let record = try await AuthenticateAPIKey(ports: ports)(key)
        else { throw Refusal.unauthenticated }
        return CallContext(
            principal: record.principal, actor: record.actor, ip: request.peer.address, requestID: request.requestID)
    }

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
    private func fingerprint(of request: BufferedRequest, at target: RequestTarget) -> [UInt8] {
        let path = RoutePattern.split(target.path).joined(separator: "/")
        return ports.hasher.sha256(Array("\(request.head.method) \(path)\n".utf8) + request.body)
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
