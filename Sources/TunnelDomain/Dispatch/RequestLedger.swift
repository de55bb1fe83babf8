/// The requests that a pool knows, each in one phase, each phase a list in the order of its deadlines.
///
/// All lists share one array and link by index, so that every step costs the same however many requests there are, and
/// nothing is allocated once the array has grown to the usual load.
struct RequestLedger: Sendable {
    /// Where a request is. The raw value numbers its list.
    enum Phase: Int, CaseIterable {
        /// Waits for an intake.
        case queued
        /// An agent has it; the head of the reply is awaited.
        case handed
        /// The reply is passing through.
        case answering
        /// The reply is complete; remembered for a while.
        case answered
        /// Failed or abandoned after an agent was given it; remembered for a while.
        case gone
    }

    struct Entry {
        var id: UInt64
        var phase: Phase
        /// The agent that was given the request; 0 while it is queued.
        var agent: UInt64
        /// When it arrived, which says how long it may yet wait if its intake fails.
        var arrivedAt: MonotonicInstant
        /// When its phase ends by itself; for `answering`, when it began.
        var deadline: MonotonicInstant
        fileprivate var previous: Int32
        fileprivate var next: Int32
    }

    private struct List {
        var first: Int32 = -1
        var last: Int32 = -1
        var count = 0
    }

    private var entries: [Entry] = []
    private var freeIndices: [Int32] = []
    private var indices: [UInt64: Int32] = [:]
    private var lists = [List](repeating: List(), count: Phase.allCases.count)

    func count(in phase: Phase) -> Int { lists[phase.rawValue].count }

    /// Where a request is in the ledger. Good until the request is removed; looking an id up is what costs.
    struct Place: Hashable {
        fileprivate var index: Int32
    }

    /// The request whose turn is next in a phase, or nil.
    func first(in phase: Phase) -> Place? {
        let index = lists[phase.rawValue].first
        return index < 0 ? nil : Place(index: index)
    }

    func place(of id: UInt64) -> Place? {
        indices[id].map { Place(index: $0) }
    }

    subscript(place: Place) -> Entry { entries[Int(place.index)] }

    /// Every request of a phase that is wanted, in order; for events that are rare.
    func places(in phase: Phase, where isWanted: (Entry) -> Bool = { _ in true }) -> [Place] {
        var places: [Place] = []
        var index = lists[phase.rawValue].first
        while index >= 0 {
            let entry = entries[Int(index)]
            if isWanted(entry) { places.append(Place(index: index)) }
            index = entry.next
        }
        return places
    }
}

// MARK: - Changing

extension RequestLedger {
    mutating func insert(
        _ id: UInt64, in phase: Phase, agent: UInt64, arrivedAt: MonotonicInstant, deadline: MonotonicInstant
    ) {
        let entry = Entry(
            id: id, phase: phase, agent: agent, arrivedAt: arrivedAt, deadline: deadline, previous: -1, next: -1)
        let index: Int32
        if let free = freeIndices.popLast() {
            index = free
            entries[Int(index)] = entry
        } else {
            index = Int32(entries.count)
            entries.append(entry)
        }
        let old = indices.updateValue(index, forKey: id)
        precondition(old == nil, "the shell gave two requests the same id")
        link(index)
    }

    mutating func move(_ place: Place, to phase: Phase, agent: UInt64, deadline: MonotonicInstant) {
        let index = place.index
        unlink(index)
        entries[Int(index)].phase = phase
        entries[Int(index)].agent = agent
        entries[Int(index)].deadline = deadline
        link(index)
    }

    mutating func remove(_ place: Place) {
        indices[self[place].id] = nil
        unlink(place.index)
        freeIndices.append(place.index)
    }

    /// Puts the entry behind all that are due no later. Deadlines nearly always come in order, so the walk is short.
    private mutating func link(_ index: Int32) {
        let (phase, deadline) = (entries[Int(index)].phase.rawValue, entries[Int(index)].deadline)
        var before = lists[phase].last
        while before >= 0, entries[Int(before)].deadline > deadline { before = entries[Int(before)].previous }
        let after = before < 0 ? lists[phase].first : entries[Int(before)].next
        entries[Int(index)].previous = before
        entries[Int(index)].next = after
        if before < 0 { lists[phase].first = index } else { entries[Int(before)].next = index }
        if after < 0 { lists[phase].last = index } else { entries[Int(after)].previous = index }
        lists[phase].count += 1
    }

    private mutating func unlink(_ index: Int32) {
        let (phase, previous, next) = (
            entries[Int(index)].phase.rawValue, entries[Int(index)].previous, entries[Int(index)].next
        )
        if previous < 0 { lists[phase].first = next } else { entries[Int(previous)].next = next }
        if next < 0 { lists[phase].last = previous } else { entries[Int(next)].previous = previous }
        lists[phase].count -= 1
    }
}
