internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

extension Problem {
    /// What the client is told of a use case's refusal.
    init(_ refusal: Refusal) {
        switch refusal {
        case .unauthenticated: self = .unauthenticated
        case .wrongAgentCredentials: self = .wrongAgentCredentials
        case .agentRevoked:
            self.init(
                403, "agent-revoked", title: "Agent revoked",
                detail: "This agent's key was revoked; ask the organization's administrator for a new one.")
        case .noRotationSecret:
            self.init(
                403, "no-rotation-secret", title: "No rotation secret",
                detail: "No rotation secret was issued with this key; create a key for the identity, which comes with one.")
        case .forbidden(let action): self = .forbidden(action)
        case .scopeMissing(let action, let scope): self = .scopeMissing(action, scope)
        case .addressNotAllowed(let address): self = .addressNotAllowed(address)
        case .exceedsOwn(let excess): self = .exceedsOwn(excess)
        case .makingScopesOverAPI(let scopes): self = .makingScopesOverAPI(scopes)
        case .adminKeyRotation: self = .adminKeyRotation
        case .keyHasEnded: self = .keyHasEnded
        case .keyIsRotated(let successor): self = .keyIsRotated(into: successor)
        case .noSuchTunnel: self = .noSuchTunnel
        case .nameTaken(let name):
            self.init(
                409, "name-unavailable", title: "Name unavailable",
                detail: "The name \(name) is taken; choose another one, or wait until its holder has deleted it for good.")
        case .nameReserved(let name):
            self.init(
                409, "name-unavailable", title: "Name unavailable",
                detail: "The name \(name) is reserved by the service; choose another one.")
        case .noSuchIdentity: self = .noSuchIdentity
        case .handleTaken(let handle, let namespace):
            self = .handleUnavailable(
                by: namespace, "The handle \(handle) is taken; choose another one, or wait until its holder is gone for good.")
        case .handleReserved(let handle):
            self = .handleUnavailable(by: .tunnels, "The handle \(handle) is reserved by the service; choose another one.")
        case .noSuchKey: self = .noSuchKey
        case .adminKeyOverAPI: self = .adminKeyOverAPI
        case .nameTheIdentity:
            self.init(
                409, "name-the-identity", title: "Which identity?",
                detail: "This key acts for the whole organization; use POST /api/v1/identities/{handle}/signing-key.")
        case .nothingToRestore(let status): self = .nothingToRestore(status)
        case .nothingToForceDelete(let status): self = .nothingToForceDelete(status)
        case .deletePending: self = .deletePending
        case .deletedWithIdentity: self = .deletedWithIdentity
        case .identityHasNoConnectSecret: self = .identityHasNoConnectSecret
        case .edgeTunnelNeedsNoCertificate:
            self.init(
                409, "tls-mode-mismatch", title: "Wrong tls_mode",
                detail: "This tunnel's tls_mode is edge: the service has its certificate. Only passthrough tunnels sign CSRs.")
        case .field(let error): self.init(invalid: [FieldError(error)])
        case .identityField(let error): self.init(invalid: [FieldError(error)])
        case .keyField(let error): self.init(invalid: [FieldError(error)])
        case .noSuchApp: self = .noSuchApp
        case .tooManyApps(let max): self = .tooManyApps(max: max)
        case .appField(let error): self.init(invalid: [FieldError(error)])
        case .rateLimited(let report): self.init(report)
        case .noSuchWebhook: self = .noSuchWebhook
        case .noSuchDelivery: self = .noSuchDelivery
        case .tooManyWebhooks(let max): self = .tooManyWebhooks(max: max)
        case .tooManyStreams(let count): self = .tooManyStreams(count)
        case .unacceptableCSR(let reason):
            self.init(400, "bad-csr", title: "Unacceptable certificate request", detail: reason)
        case .issuanceNotConfigured:
            self.init(
                501, "issuance-not-configured", title: "No issuer",
                detail: "Certificate issuance is not configured on this service; ask its operator to configure an issuer.")
        case .issuerUnavailable(let reason):
            self.init(
                503, "issuer-unavailable", title: "Issuer unavailable",
                detail: "The certificate could not be issued: \(reason). Nothing was changed; try again later.")
        case .keyUsedForAnotherRequest:
            self.init(
                422, "idempotency-key-reused", title: "Idempotency-Key reused",
                detail: "This Idempotency-Key was used for another request within the last 24 hours; send a new key.",
                errors: [FieldError("Idempotency-Key", "It was used for another request.")])
        case .keyInFlight:
            self.init(
                409, "idempotency-key-in-flight", title: "Request in progress",
                detail: "The first request with this Idempotency-Key is still running; try again when it has ended.")
        case .keptAnswerUnreadable:
            self.init(
                500, "kept-answer-unreadable", title: "Kept answer unreadable",
                detail: "This request has been carried out, but its answer cannot be decrypted any more; send a new key.")
        }
    }

    /// What the client is told when the store does not work.
    init(_ error: StoreError) {
        let (status, kind): (Int, String) =
            switch error {
            case .full: (507, "store-full")
            case .busy: (503, "store-busy")
            case .readOnly: (503, "store-read-only")
            case .corrupt: (503, "store-damaged")
            case .io: (503, "store-failing")
            case .closed: (503, "stopping")
            case .constraint: (500, "store-refused")
            }
        let text = error.explanation
        self.init(status, kind, title: "Store unavailable", detail: text.prefix(1).uppercased() + text.dropFirst() + ".")
        if error == .busy { fields.append("retry-after", "1") }
    }

    /// What the client is told of an error that nobody foresaw: nothing but the request id, by which the log tells more.
    static let internalError = Problem(
        500, "internal", title: "Internal error",
        detail: "The service failed in a way that it did not foresee; tell its operator the request id.")
}

// MARK: - Who and what

extension Problem {
    static var unauthenticated: Problem {
        var problem = Problem(
            401, "unauthenticated", title: "Not authenticated",
            detail: "Send one valid credential: an API key, as X-API-Key or as Authorization: Bearer, or an app's, as "
                + "Authorization: Basic; this request carries none that counts.")
        problem.fields.append("www-authenticate", #"Bearer realm="culvert""#)
        problem.fields.append("www-authenticate", #"Basic realm="culvert", charset="UTF-8""#)
        return problem
    }

    static var wrongAgentCredentials: Problem {
        var problem = Problem(
            401, "unauthenticated", title: "Not authenticated",
            detail:
                "The API key or the rotation secret is wrong; send the pair of the last rotation, the key as a Bearer token.")
        problem.fields.append("www-authenticate", #"Bearer realm="culvert""#)
        return problem
    }

    static func forbidden(_ action: Permission.Action) -> Problem {
        Problem(
            403, "forbidden", title: "Not allowed",
            detail: "This credential may not do \(action.rawValue); use one that may, such as an admin key.")
    }

    static let noSuchTunnel = Problem(
        404, "no-such-tunnel", title: "No such tunnel",
        detail: "There is no tunnel with this id among yours; list them with GET /api/v1/tunnels.")

    static let noSuchIdentity = Problem(
        404, "no-such-identity", title: "No such identity",
        detail: "There is no such identity among yours; list them with GET /api/v1/identities.")

    static let noSuchKey = Problem(
        404, "no-such-key", title: "No such API key",
        detail: "There is no API key with this id among yours; list them with GET /api/v1/api-keys.")

    static let adminKeyOverAPI = Problem(
        403, "forbidden", title: "Not allowed",
        detail: "Admin keys are made on the service's own machine only; give scoped_identity_id for a key of one identity.")

    static let noSuchPath = Problem(
        404, "no-such-path", title: "No such path", detail: "Nothing is served at this path; check its spelling.")

    static func methodNotAllowed(allowed: [String]) -> Problem {
        let list = allowed.joined(separator: ", ")
        var problem = Problem(
            405, "method-not-allowed", title: "Method not allowed", detail: "This path is served for \(list) only.")
        problem.fields.append("allow", list)
        return problem
    }
}

// MARK: - Conflicts

// Clients take a conflict whose text has the words of a TLS mode for another error: none of them may stand in these, not
// even inside another word.
extension Problem {
    private static func wrongStatus(_ detail: String) -> Problem {
        Problem(409, "wrong-status", title: "Wrong status", detail: detail)
    }

    static func nothingToRestore(_ status: TunnelStatus) -> Problem {
        wrongStatus("This tunnel is \(status.rawValue); only a tunnel that is delete_pending can be restored.")
    }

    static func nothingToForceDelete(_ status: TunnelStatus) -> Problem {
        wrongStatus(
            "This tunnel is \(status.rawValue); only one that is delete_pending can be deleted for good: delete it first.")
    }

    static let deletePending = wrongStatus("This tunnel is delete_pending; restore it first.")

    /// Clients read the members of the detail and turn them into an error of their own.
    static func handleUnavailable(by namespace: HandleNamespace, _ text: String) -> Problem {
        var problem = Problem(409, "handle-unavailable", title: "Handle unavailable", detail: text)
        problem.detail = .members([
            "code": .string("agent_handle_unavailable"), "blocking_namespace": .string(namespace.rawValue),
            "detail": .string(text),
        ])
        return problem
    }

    static let deletedWithIdentity = Problem(
        409, "belongs-to-identity", title: "Belongs to an identity",
        detail: "This tunnel belongs to an identity and is deleted with it; delete the identity.")

    static let identityHasNoConnectSecret = Problem(
        409, "belongs-to-identity", title: "Belongs to an identity",
        detail: "This tunnel belongs to an identity and has no connect secret; rotate the identity's API key.")
}

// MARK: - Requests

extension Problem {
    init(_ report: RateLimitReport) {
        let wait = report.limit.retryAfterHeaderValue(for: report.decision) ?? "0"
        self.init(
            429, "rate-limited", title: "Too many",
            detail: "\(report.limit.limit) per \(report.limit.window.secondsRoundedUp) s are allowed and used up; "
                + "the next one fits in \(wait) s.")
        fields.append("retry-after", wait)
        fields.append(report)
    }

    static func tooManyStreams(_ count: Int) -> Problem {
        var problem = Problem(
            429, "too-many-streams", title: "Too many streams",
            detail: "This organization has \(count) event streams open, which is as many as it may; end one of them first.")
        problem.fields.append("retry-after", "15")
        return problem
    }

    /// Parts of the request that break rules.
    init(invalid errors: [FieldError]) {
        let list = errors.map { $0.pointer.isEmpty ? $0.detail : "\($0.pointer): \($0.detail)" }.joined(separator: " ")
        self.init(422, "invalid", title: "Invalid request", detail: list, errors: errors)
    }

    static func malformed(_ error: JSONSyntaxError) -> Problem {
        Problem(400, "malformed-json", title: "Malformed JSON", detail: "The body is not valid JSON: \(error.description).")
    }

    static let bodyTooLarge = Problem(
        413, "body-too-large", title: "Body too large",
        detail: "The body has more than \(ControlPlaneAPI.bodyByteCountMax) bytes, which no call needs; send a smaller one.")
}

extension FieldError {
    init(_ error: TunnelFieldError) {
        switch error {
        case .descriptionTooLong: self.init("/description", error.explanation)
        case .metadataTooLong: self.init("/metadata", error.explanation)
        }
    }
}

extension HTTPFields {
    /// Adds `RateLimit-Policy` and `RateLimit`.
    mutating func append(_ report: RateLimitReport) {
        append("ratelimit-policy", report.limit.policyHeaderValue)
        append("ratelimit", report.limit.headerValue(for: report.decision))
    }
}
