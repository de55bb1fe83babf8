/// What the process tells its caller; Docs/Operations.md lists the same.
enum ExitCode: Int32, CaseIterable {
    /// The command did its work; `serve` was told to stop and has drained.
    case success = 0
    /// The command was understood but could not be done; standard error says why and what to do.
    case failure = 1
    /// The command line, the environment or the configuration file has a mistake.
    case usage = 2

    var meaning: String {
        switch self {
        case .success: "done; for serve: stopped as asked, after draining"
        case .failure: "could not be done; standard error says why and what to do next"
        case .usage: "a mistake in the command line, the environment or the configuration file"
        }
    }
}
