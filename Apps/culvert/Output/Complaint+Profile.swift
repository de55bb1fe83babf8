internal import TunnelProfile

extension Complaint {
    /// A flaw of this machine's files and settings, with the exit status that it has.
    init(_ flaw: ProfileFlaw) {
        let exitCode: ExitCode =
            switch flaw.kind {
            case .machine: .failure
            case .usage: .usage
            case .authentication: .authentication
            case .conflict: .conflict
            }
        self.init(flaw.message, advice: flaw.advice, exitCode: exitCode)
    }
}

/// The value of an expression; a flaw of this machine's files and settings becomes a complaint.
func complaining<Value>(_ work: @autoclosure () throws(ProfileFlaw) -> Value) throws(Complaint) -> Value {
    do throws(ProfileFlaw) { return try work() } catch { throw Complaint(error) }
}
