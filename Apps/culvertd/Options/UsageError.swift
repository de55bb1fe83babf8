/// A mistake in what the operator wrote: what it is, and what would be right.
struct UsageError: Error, Hashable, CustomStringConvertible {
    var description: String

    init(_ text: String) { description = text }
}
