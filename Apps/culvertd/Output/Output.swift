import Foundation

/// Results go to standard output, everything else to standard error.
enum Output {
    static func result(_ text: String) throws(Complaint) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
        } catch {
            throw Complaint("the result could not be written to standard output; is the disk full, or the reader gone?")
        }
    }

    /// One sentence about what went wrong and what to do.
    static func complaint(_ text: String) {
        note("culvertd: " + text + "\n")
    }

    /// Text for standard error. That nobody reads it, or that its disk is full, ends nothing.
    static func note(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}

/// A sentence for people that ends a command with `ExitCode.failure`.
struct Complaint: Error, CustomStringConvertible {
    var description: String

    init(_ text: String) { description = text }
}
