/// Whether the service can do its work now.
package protocol Readiness: Sendable {
    /// One line for each thing that has to work, in a fixed order.
    func check() async -> [ReadinessCheck]
}

/// One thing that has to work before the service is ready.
package struct ReadinessCheck: Sendable, Hashable {
    /// What it is, such as `store` or `listeners`.
    package let name: String
    /// What is wrong with it, for the operator; nil when it works.
    package let problem: String?

    package init(_ name: String, problem: String? = nil) {
        self.name = name
        self.problem = problem
    }
}
