import TunnelClient

/// What the service answered, or why it did not, for people.
enum ServiceWords {
    static func text(_ error: ClientError, _ server: ServerURL) -> String {
        switch error {
        case .refused(let refusal): "\(server) refuses (\(refusal.status)): \(refusal.detail)"
        case .noAnswer(let failure): text(failure, server)
        case .unusableAnswer(let status, let reason): "\(server) answers \(status) with something unexpected: \(reason)"
        case .credentialUnusable(let reason): "the API key cannot be used: \(reason)"
        case .cancelled: "stopped before \(server) had answered"
        }
    }

    private static func text(_ failure: TransportFailure, _ server: ServerURL) -> String {
        switch failure {
        case .unreachable(let reason): "\(server) cannot be reached: \(reason)"
        case .untrustedCertificate(let reason): "the certificate of \(server) is not trusted: \(reason)"
        case .connectionLost(let reason): "\(server) broke off: \(reason)"
        case .timedOut(let seconds): "\(server) did not answer within \(seconds) s"
        }
    }

    static func complaint(_ error: ClientError, _ server: ServerURL) -> Complaint {
        let advice =
            switch error {
            case .refused(let refusal) where refusal.status == 401: "Is the key of this server, and not revoked?"
            case .noAnswer(.untrustedCertificate): "Name the server's authority with “caFile”, or CULVERT_CA_FILE."
            case .noAnswer(.unreachable): "Is the address right, and culvertd running there?"
            case .refused, .noAnswer, .unusableAnswer, .credentialUnusable, .cancelled: ""
            }
        return Complaint(text(error, server), advice: advice)
    }
}
