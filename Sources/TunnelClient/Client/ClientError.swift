/// Why a call of ``CulvertClient`` did not succeed.
public enum ClientError: Error, Sendable, Hashable {
    /// The server answered, with a status of 400 or more.
    case refused(ServerRefusal)
    /// There was no answer.
    case noAnswer(TransportFailure)
    /// The server answered with something that is not in the contract (not JSON, or a member is missing).
    case unusableAnswer(status: Int, reason: String)
    /// No API key could be had; nothing was sent.
    case credentialUnusable(reason: String)
    /// The task was cancelled; a request may have been sent.
    case cancelled
}

/// The server's refusal: a problem document (RFC 9457) and what the header said beside it.
public struct ServerRefusal: Sendable, Hashable {
    /// 400...599.
    public var status: Int
    /// A machine-readable reason when the server names one: the `code` member, or the last part of `type`.
    public var code: String?
    /// One sentence for people; never empty.
    public var detail: String
    /// What to quote to the operator of the server (`X-Request-Id`).
    public var requestID: String?
    /// How long to wait before another try, in seconds (`Retry-After`).
    public var retryAfterSeconds: Int?
    /// The members of the request that were wrong; with status 422.
    public var memberErrors: [MemberError]

    /// One wrong member of a request.
    public struct MemberError: Sendable, Hashable {
        /// A JSON Pointer (RFC 6901) into the request body, such as `/tunnel_name`.
        public var pointer: String
        public var detail: String

        /// A wrong member, and what is wrong with it.
        public init(pointer: String, detail: String) {
            self.pointer = pointer
            self.detail = detail
        }
    }

    /// A refusal with every member given.
    public init(
        status: Int, code: String? = nil, detail: String, requestID: String? = nil, retryAfterSeconds: Int? = nil,
        memberErrors: [MemberError] = []
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.requestID = requestID
        self.retryAfterSeconds = retryAfterSeconds
        self.memberErrors = memberErrors
    }

    /// What kind of refusal it is, for a caller that decides by it.
    public enum Kind: Sendable, Hashable, CaseIterable {
        /// 401: the key is missing, mistyped or revoked.
        case unauthenticated
        /// 403: the key is good, but may not do this.
        case forbidden
        case notFound
        case conflict
        /// 400, 413, 422 and the like: the request itself is wrong.
        case invalid
        case rateLimited
        /// 5xx.
        case serverFailed
    }

    public var kind: Kind {
        switch status {
        case 401: .unauthenticated
        case 403: .forbidden
        case 404, 410: .notFound
        case 409: .conflict
        case 429: .rateLimited
        case 500...: .serverFailed
        default: .invalid
        }
    }
}

extension ServerRefusal: CustomStringConvertible {
    public var description: String {
        let members = memberErrors.map { "; \($0.pointer): \($0.detail)" }.joined()
        let request = requestID.map { " (request \($0))" } ?? ""
        return "\(status): \(detail)\(members)\(request)"
    }
}
