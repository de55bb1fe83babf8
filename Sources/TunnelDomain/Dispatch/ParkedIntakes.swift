/// The intakes that wait for requests, in the order in which they become idle.
///
/// There are at most a few dozen (see ``IntakePool/Limits/poolSizeMax``), so a plain array whose front is skipped beats any
/// cleverer structure.
struct ParkedIntakes: Sendable {
    struct Intake {
        var id: UInt64
        var agent: UInt64
        /// When it is answered 204.
        var idleDeadline: MonotonicInstant
    }

    private var intakes: [Intake] = []
    /// The intakes before this position have left.
    private var start = 0

    var count: Int { intakes.count - start }
    var first: Intake? { start < intakes.count ? intakes[start] : nil }

    /// Adds an intake behind all that become idle no later: nearly always behind all others.
    mutating func insert(_ intake: Intake) {
        if start > 0, intakes.count == intakes.capacity { compact() }
        var position = intakes.count
        while position > start, intakes[position - 1].idleDeadline > intake.idleDeadline { position -= 1 }
        intakes.insert(intake, at: position)
    }

    mutating func removeFirst() -> Intake? {
        guard let first else { return nil }
        start += 1
        if start == intakes.count { removeAll() }
        return first
    }

    /// Takes out the agent's intake that has been parked longest.
    mutating func removeFirst(of agent: UInt64) -> Intake? {
        guard let index = intakes[start...].firstIndex(where: { $0.agent == agent }) else { return nil }
        return index == start ? removeFirst() : intakes.remove(at: index)
    }

    func count(of agent: UInt64) -> Int { intakes[start...].count { $0.agent == agent } }

    mutating func remove(_ id: UInt64) {
        guard let index = intakes[start...].firstIndex(where: { $0.id == id }) else { return }
        intakes.remove(at: index)
    }

    /// Takes out every intake of one agent, in order.
    mutating func removeAll(of agent: UInt64) -> [Intake] {
        compact()
        let removed = intakes.filter { $0.agent == agent }
        intakes.removeAll { $0.agent == agent }
        return removed
    }

    mutating func removeAll() {
        intakes.removeAll(keepingCapacity: true)
        start = 0
    }

    private mutating func compact() {
        intakes.removeSubrange(..<start)
        start = 0
    }
}
