import TunnelService

/// An error for people: what happened, and what to do.
struct Complaint: Error, CustomStringConvertible {
    var message: String
    var advice: String
    var exitCode: ExitCode

    init(_ message: String, advice: String = "", exitCode: ExitCode = .failure) {
        self.message = message
        self.advice = advice
        self.exitCode = exitCode
    }

    var description: String { advice.isEmpty ? message : "\(message)\n\(advice)" }
}

extension Complaint {
    /// What the inbox does not do.
    init(_ error: StoreError) {
        switch error {
        case .full:
            self.init("the inbox's disk is full", advice: "Free some room on the file system of “data”, then try again.")
        case .busy:
            self.init(
                "the inbox is locked by another program", advice: "Close it, such as a backup or sqlite3, then try again.")
        case .readOnly:
            self.init("the inbox takes no writes", advice: "Are “data” and its file system writable, and this user's?")
        case .corrupt(let text): self.init("the inbox is damaged: \(text)", advice: "Move “data” away, and restore a backup.")
        case .io(let text), .constraint(let text): self.init("the inbox cannot be used: \(text)")
        case .closed: self.init("the inbox has been closed")
        }
    }
}

/// How the program ends, for scripts.
enum ExitCode: Int32 {
    case success = 0
    case failure = 1
    /// The command line or the configuration is wrong.
    case usage = 2
    case notFound = 4
    /// The run's state does not allow it.
    case conflict = 5
}

enum Version {
    static let text = "0.1.0"
}
