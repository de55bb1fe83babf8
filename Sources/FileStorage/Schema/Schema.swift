/// The steps that lead from an empty file to the schema this version knows.
///
/// A step is never changed once it has been released: a file somewhere has already taken it.
enum Schema {
    /// What `PRAGMA user_version` says after all steps.
    static var version: Int { steps.count }

    /// Step n leads from version n to version n + 1.
    static let steps: [String] = [first, second, third]
}
