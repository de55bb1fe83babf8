internal import TunnelAgent
internal import TunnelClient
internal import TunnelProfile
internal import TunnelWire

/// The errors of this program and their codes; Docs/RPC.md has the same table.
enum RPCFailure {
    enum Code: Int, CaseIterable {
        case server = 1000
        case unauthenticated = 1001
        case forbidden = 1002
        case notFound = 1003
        case conflict = 1004
        case invalid = 1005
        case rateLimited = 1006
        case unreachable = 1007
        case settings = 1008
        case agent = 1009
        case timeout = 1010
        case overloaded = 1011

        var meaning: String {
            switch self {
            case .server: "the server failed, or answered with something that is not in its contract"
            case .unauthenticated: "the API key is missing, mistyped or revoked"
            case .forbidden: "the API key may not do this"
            case .notFound: "there is no such thing"
            case .conflict: "a name is taken, or something is in the wrong state"
            case .invalid: "the server found a value wrong; `data.members` says which"
            case .rateLimited: "too many; `data.retry_after_seconds` says when to come back"
            case .unreachable: "the server cannot be reached, or its certificate is not trusted"
            case .settings: "the settings of this machine cannot be used"
            case .agent: "an agent cannot be started, or has ended"
            case .timeout: "what was waited for did not happen in time"
            case .overloaded: "too many calls at once"
            }
        }
    }

    static func make(_ code: Code, _ message: String, _ data: JSON? = nil) -> JSONRPCError {
        JSONRPCError(code: code.rawValue, message: message, data: data)
    }

    static func overloaded(_ why: String) -> JSONRPCError { make(.overloaded, why) }
    static func notFound(_ why: String) -> JSONRPCError { make(.notFound, why) }

    /// What an error of any kind is to the client.
    static func describe(_ error: any Error) -> JSONRPCError {
        switch error {
        case let error as JSONRPCError: error
        case is CancellationError: .cancelled
        case let error as ClientError: describe(error)
        case let flaw as ProfileFlaw: make(flaw.kind == .conflict ? .conflict : .settings, flaw.description)
        case let failure as KeyRotation.Failure: describe(failure)
        case let flaw as EdgePlan.Flaw: make(.settings, describe(flaw))
        case let error as TargetRefusal: .invalidParams(error.description)
        case let error as AgentTargetError: .invalidParams(error.description)
        default: .internalError("\(error)")
        }
    }

    private static func describe(_ failure: KeyRotation.Failure) -> JSONRPCError {
        let (cause, advice): (any Error, String) =
            switch failure {
            case .unready(let flaw): (flaw, "")
            case .undecided(let error):
                (error, "; nothing is lost: call keys.rotateOwn again within 24 hours, and it ends what was begun")
            case .refused(let error, isRepetition: false): (error, "; the key stays as it is")
            case .refused(let error, isRepetition: true):
                (error, "; the rotation that was begun earlier may have been carried out. If so, have a new key made")
            case .unkept(let flaw):
                (flaw, "; the old key is void: call keys.rotateOwn again within 24 hours once the file can be written")
            }
        var described = describe(cause)
        described.message += advice
        return described
    }

    private static func describe(_ flaw: EdgePlan.Flaw) -> String {
        switch flaw {
        case .missingHost: "the server does not say under which host the tunnel is public; is it a Culvert server?"
        case .missingListener: "the server has no HTTPS listener, and agents connect over TLS only; start it with --https"
        }
    }

    private static func describe(_ error: ClientError) -> JSONRPCError {
        switch error {
        case .refused(let refusal): describe(refusal)
        case .noAnswer(let failure): make(.unreachable, describe(failure))
        case .unusableAnswer(let status, let reason):
            make(.server, "the answer is not that of a Culvert server (status \(status)): \(Printable.text(reason))")
        case .credentialUnusable(let reason): make(.unauthenticated, reason)
        case .cancelled: .cancelled
        }
    }

    private static func describe(_ failure: TransportFailure) -> String {
        switch failure {
        case .unreachable(let reason):
            "the server cannot be reached: \(Printable.text(reason)). Is it running, and was its URL right at "
                + "\"culvert login\"?"
        case .untrustedCertificate(let reason):
            "the server's certificate is not trusted: \(Printable.text(reason)). If the server has its own authority, log in "
                + "with --ca-file FILE, or start culvert-rpc with it"
        case .connectionLost(let reason): "the connection broke off; the server may have acted: \(Printable.text(reason))"
        case .timedOut(let seconds): "the server did not answer within \(seconds) s; it may have acted"
        }
    }

    private static func describe(_ refusal: ServerRefusal) -> JSONRPCError {
        let code: Code =
            switch refusal.kind {
            case .unauthenticated: .unauthenticated
            case .forbidden: .forbidden
            case .notFound: .notFound
            case .conflict: .conflict
            case .invalid: .invalid
            case .rateLimited: .rateLimited
            case .serverFailed: .server
            }
        let members = refusal.memberErrors.map { JSON.members(["pointer": .string($0.pointer), "detail": .string($0.detail)]) }
        // The server speaks of header fields, which the client of this program never sees.
        let message =
            code == .unauthenticated
            ? "the server does not know this API key: it is mistyped, revoked or another server's. Log in again: culvert login "
                + "--server URL --api-key-file FILE" : Printable.text(refusal.detail, characterCountMax: 600)
        return make(
            code, message,
            .some([
                "status": .integer(refusal.status), "code": refusal.code.map(JSON.string),
                "request_id": refusal.requestID.map(JSON.string),
                "retry_after_seconds": refusal.retryAfterSeconds.map { .integer($0) },
                "members": members.isEmpty ? nil : .array(members),
            ]))
    }
}
