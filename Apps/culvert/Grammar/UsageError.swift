/// A command line that cannot be understood: what was wrong with it and whose help explains more.
struct UsageError: Error, Hashable {
    var message: String
    /// The command whose help to read.
    var command: [String] = []
}
