internal import TunnelClient
internal import TunnelProfile

/// An error as a person is told it: what happened and why, and what to do next.
struct Complaint: Error, Hashable {
    /// What happened and why, in one sentence without a full stop.
    var message: String
    /// What to do next, in whole sentences; may be empty.
    var advice: String
    var exitCode: ExitCode
    /// What to quote to the server's operator.
    var requestID: String?
    /// The HTTP status of a refusal.
    var status: Int?

    init(_ message: String, advice: String = "", exitCode: ExitCode = .failure, requestID: String? = nil, status: Int? = nil) {
        self.message = message
        self.advice = advice
        self.exitCode = exitCode
        self.requestID = requestID
        self.status = status
    }

    /// Something that the command line names is not there; a name that is nearly right is suggested.
    init(missing kind: String, _ given: String, among names: [String], listing: String) {
        let best = names.map { (name: $0, distance: EditDistance.between($0, given)) }.min { $0.distance < $1.distance }
        let suggestion = best.flatMap { $0.distance <= 2 ? "; did you mean \(Printable.text($0.name))?" : nil } ?? ""
        self.init(
            "there is no \(kind) \"\(Printable.text(given))\"\(suggestion)",
            advice: "\"\(listing)\" shows what there is.", exitCode: .notFound)
    }

    init(_ error: UsageError) {
        let command = (["culvert"] + error.command + ["--help"]).joined(separator: " ")
        self.init(error.message, advice: "\"\(command)\" explains.", exitCode: .usage)
    }
}

// MARK: - From the REST client

extension Complaint {
    /// - Parameters:
    ///   - act: what was being done, as in `create the tunnel my-agent`.
    ///   - listing: the command that shows what there is.
    init(_ error: ClientError, act: String, server: ServerURL, listing: String = "culvert tunnels list") {
        switch error {
        case .refused(let refusal): self.init(refusal, act: act, server: server, listing: listing)
        case .noAnswer(let failure): self.init(failure, act: act, server: server, listing: listing)
        case .unusableAnswer(let status, let reason):
            self.init(
                "could not \(act): the answer of \(server) is not that of a Culvert server (status \(status)): "
                    + Printable.text(reason),
                advice: "Check the server URL; it names the server only, without a path to a page.")
        case .credentialUnusable(let reason):
            self.init(
                "could not \(act): \(reason)", advice: "Give the file that holds the API key with --api-key-file FILE.",
                exitCode: .authentication)
        case .cancelled:
            self.init("could not \(act): it was interrupted", exitCode: .interrupted)
        }
    }

    private init(_ refusal: ServerRefusal, act: String, server: ServerURL, listing: String) {
        let details = ([refusal.detail] + refusal.memberErrors.map { "\($0.pointer): \($0.detail)" }).joined(separator: "; ")
        let (exitCode, advice): (ExitCode, String) =
            switch refusal.kind {
            case .unauthenticated:
                (
                    .authentication,
                    "The server does not know this API key. Log in again: culvert login --server \(server) --api-key-file FILE"
                )
            case .forbidden where refusal.code == "address-not-allowed":
                (.authentication, "Use it where it may be used, or give another key with --api-key-file FILE.")
            case .forbidden:
                (.authentication, "This API key is not allowed to do that. Use a key of your organization's administrator.")
            case .notFound where refusal.code == "no-such-path":
                (.failure, "The server does not offer this: it is older than this program, or the URL is not that of its API.")
            case .notFound: (.notFound, "\"\(listing)\" shows what there is.")
            case .conflict: (.conflict, "")
            case .invalid: (.usage, "")
            case .rateLimited:
                (
                    .rateLimited,
                    refusal.retryAfterSeconds.map { "Try again in \(Self.span(seconds: $0))." } ?? "Try again later."
                )
            case .serverFailed:
                (.failure, "The fault is the server's. Try again; if it stays, tell its operator the request id.")
            }
        self.init(
            "could not \(act): \(Printable.text(details, characterCountMax: 600))", advice: advice, exitCode: exitCode,
            requestID: refusal.requestID.map { Printable.text($0) }, status: refusal.status)
    }

    private init(_ failure: TransportFailure, act: String, server: ServerURL, listing: String) {
        switch failure {
        case .unreachable(let reason):
            self.init(
                "could not \(act): \(server) cannot be reached: \(Printable.text(reason))",
                advice: "Is the server running, and is the URL right? --server URL talks to another one.",
                exitCode: .unreachable)
        case .untrustedCertificate(let reason) where reason.contains("has expired") || reason.contains("not yet valid"):
            self.init(
                "could not \(act): the certificate of \(server), or of its authority, does not hold today: "
                    + Printable.text(reason),
                advice: "Is this machine's clock right? Else the server's owner has to renew the certificate.",
                exitCode: .unreachable)
        case .untrustedCertificate(let reason):
            self.init(
                "could not \(act): the certificate of \(server) is not trusted: \(Printable.text(reason))",
                advice: "If the server has its own authority, give that authority's certificate with --ca-file FILE "
                    + "(culvertd init wrote it as ca.pem).", exitCode: .unreachable)
        case .connectionLost(let reason):
            self.init(
                "could not \(act): the connection to \(server) broke off: \(Printable.text(reason))",
                advice: "Try again. The server may have done it all the same: \"\(listing)\" tells.",
                exitCode: .unreachable)
        case .timedOut(let seconds):
            self.init(
                "could not \(act): \(server) did not answer within \(seconds) s",
                advice: "Try again. The server may have done it all the same: \"\(listing)\" tells.",
                exitCode: .unreachable)
        }
    }

    /// A span of time as people say it.
    static func span(seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\((seconds + 59) / 60) minutes"
        default: "\((seconds + 3599) / 3600) hours"
        }
    }
}
