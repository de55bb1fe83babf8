import Foundation

/// Results go to standard output, everything else to standard error.
enum Output {
    static func result(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    /// One sentence about what went wrong and what to do.
    static func complaint(_ text: String) {
        FileHandle.standardError.write(Data(("culvertd: " + text + "\n").utf8))
    }
}

/// A sentence for people that ends a command with `ExitCode.failure`.
struct Complaint: Error, CustomStringConvertible {
    var description: String

    init(_ text: String) { description = text }
}
