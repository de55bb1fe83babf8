/// How the program ends, for scripts.
enum ExitCode: Int32, CaseIterable {
    case success = 0
    case failure = 1
    case usage = 2
    case authentication = 3
    case notFound = 4
    case conflict = 5
    case rateLimited = 6
    case unreachable = 7
    case interrupted = 130

    var meaning: String {
        switch self {
        case .success: "success; also after Ctrl-C, once the requests under way are finished"
        case .failure: "something else went wrong; the message says what"
        case .usage: "the command line or a value in it is wrong"
        case .authentication: "the API key or connect secret is missing, wrong, or not allowed to do this"
        case .notFound: "there is nothing of that name or id"
        case .conflict: "a name is taken, something is in the wrong state, or another agent took over"
        case .rateLimited: "too many; the message says when to try again"
        case .unreachable: "the server cannot be reached or its certificate is not trusted"
        case .interrupted: "ended by a second Ctrl-C"
        }
    }
}
