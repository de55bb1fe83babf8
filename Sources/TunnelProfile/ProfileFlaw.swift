/// Why the files and settings of this machine cannot be used.
package struct ProfileFlaw: Error, Hashable, CustomStringConvertible {
    /// What kind of a fault it is, for exit statuses and error codes.
    package enum Kind: Sendable, Hashable {
        /// The machine: a file that cannot be read or written.
        case machine
        /// What was given: an option, or a file that it names.
        case usage
        /// The API key is missing, or not the one that is needed.
        case authentication
        /// Another process is at the same.
        case conflict
    }

    /// What happened and why, in one sentence without a full stop.
    package var message: String
    /// What to do next, in whole sentences; may be empty.
    package var advice: String
    package var kind: Kind

    package init(_ message: String, advice: String = "", kind: Kind = .machine) {
        self.message = message
        self.advice = advice
        self.kind = kind
    }

    package var description: String { advice.isEmpty ? message : "\(message). \(advice)" }
}
