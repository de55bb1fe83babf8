internal import TunnelWire

/// What an intake that brought no request means (data plane §3).
enum IntakeOutcome: Equatable {
    /// It idled for its time, or the server ended it in good order: park again.
    case idle
    /// Another agent took over.
    case superseded
    /// The owner token is no longer valid: connect anew.
    case tokenInvalid
    /// Something that should not happen: park again after a pause.
    case unexpected

    /// For a final head other than 200.
    init(_ head: HTTPResponseHead) {
        if head.fields.first(.inkboxReason) == "intake-superseded" {
            self = .superseded
        } else if head.status == 204 {
            self = .idle
        } else {
            self = head.status == 401 ? .tokenInvalid : .unexpected
        }
    }
}
