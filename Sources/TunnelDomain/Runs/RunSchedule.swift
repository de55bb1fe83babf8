/// Which waiting runs may begin: as many of a route at once as it allows, and those of one line one after the other.
///
/// A line is what must stay in order: the runs with the same key where a route asks for order, else the runs of the same event,
/// which must never run beside each other. The head of a line holds the others up until it has ended, pauses between its
/// attempts included.
public struct RunSchedule: Sendable {
    /// A run that is not ended.
    public struct Entry: Hashable, Sendable {
        /// Rises with the order of arrival.
        public var id: Int64
        public var route: String
        public var line: String
        public var due: Timestamp

        /// An entry as it is.
        public init(id: Int64, route: String, line: String, due: Timestamp) {
            self.id = id
            self.route = route
            self.line = line
            self.due = due
        }
    }

    fileprivate struct Line: Sendable {
        /// In order of their ids.
        var entries: [Entry] = []
        var runningID: Int64?
    }

    fileprivate struct Lane: Sendable {
        var concurrencyMax: Int
        var runningCount = 0
        var lines: [String: Line] = [:]
        var candidates = CandidateHeap()
    }

    private var lanes: [String: Lane] = [:]
    /// Runs that wait.
    public private(set) var waitingCount = 0
    /// Runs that are under way.
    public private(set) var runningCount = 0

    /// An empty schedule.
    public init() {}

    /// Sets how many runs of a route may be under way at once; runs of a route without it wait.
    public mutating func allow(_ concurrencyMax: Int, for route: String) {
        lanes[route, default: Lane(concurrencyMax: 0)].concurrencyMax = concurrencyMax
    }

    /// Takes a waiting run; one that is already in line is left as it is.
    public mutating func add(_ entry: Entry) {
        var lane = lanes.removeValue(forKey: entry.route) ?? Lane(concurrencyMax: 0)
        defer { lanes[entry.route] = lane }
        var line = lane.lines[entry.line] ?? Line()
        let place = line.entries.firstIndex { $0.id >= entry.id } ?? line.entries.count
        guard place == line.entries.count || line.entries[place].id != entry.id, line.runningID != entry.id else { return }
        line.entries.insert(entry, at: place)
        waitingCount += 1
        lane.lines[entry.line] = line
        if place == 0, line.runningID == nil { lane.candidates.push(entry) }
    }

    /// Takes the runs out that may begin now; each stays counted as running until ``ended(_:next:)``.
    public mutating func begin(at now: Timestamp) -> [Entry] {
        var begun: [Entry] = []
        for route in lanes.keys.sorted() {
            guard var lane = lanes.removeValue(forKey: route) else { continue }
            while lane.runningCount < lane.concurrencyMax, let entry = lane.candidates.first {
                guard lane.isHead(entry) else {
                    lane.candidates.removeFirst()
                    continue
                }
                guard entry.due <= now else { break }
                lane.candidates.removeFirst()
                lane.lines[entry.line]?.entries.removeFirst()
                lane.lines[entry.line]?.runningID = entry.id
                lane.runningCount += 1
                waitingCount -= 1
                runningCount += 1
                begun.append(entry)
            }
            lanes[route] = lane
        }
        return begun
    }

    /// A run that was begun has ended, or waits for its next attempt.
    public mutating func ended(_ entry: Entry, next due: Timestamp?) {
        guard var lane = lanes.removeValue(forKey: entry.route) else { return }
        defer { lanes[entry.route] = lane }
        guard var line = lane.lines[entry.line], line.runningID == entry.id else { return }
        line.runningID = nil
        lane.runningCount -= 1
        runningCount -= 1
        if let due {
            line.entries.insert(Entry(id: entry.id, route: entry.route, line: entry.line, due: due), at: 0)
            waitingCount += 1
        }
        lane.lines[entry.line] = line.entries.isEmpty ? nil : line
        if let head = line.entries.first { lane.candidates.push(head) }
    }

    /// Takes a waiting run out; false when it does not wait here.
    @discardableResult
    public mutating func remove(id: Int64, route: String, line name: String) -> Bool {
        guard var lane = lanes.removeValue(forKey: route) else { return false }
        defer { lanes[route] = lane }
        guard var line = lane.lines[name], let place = line.entries.firstIndex(where: { $0.id == id }) else { return false }
        line.entries.remove(at: place)
        waitingCount -= 1
        lane.lines[name] = line.entries.isEmpty && line.runningID == nil ? nil : line
        if place == 0, line.runningID == nil, let head = line.entries.first { lane.candidates.push(head) }
        return true
    }

    /// When ``begin(at:)`` should be asked again, if nothing else happens; nil when only an end can free something.
    public mutating func nextDue() -> Timestamp? {
        var next: Timestamp?
        for route in lanes.keys {
            guard var lane = lanes.removeValue(forKey: route) else { continue }
            while let entry = lane.candidates.first, !lane.isHead(entry) { lane.candidates.removeFirst() }
            if lane.runningCount < lane.concurrencyMax, let due = lane.candidates.first?.due {
                next = min(next ?? due, due)
            }
            lanes[route] = lane
        }
        return next
    }
}

extension RunSchedule.Lane {
    /// A candidate whose line has moved on since is none any more.
    fileprivate func isHead(_ entry: RunSchedule.Entry) -> Bool {
        guard let line = lines[entry.line], line.runningID == nil else { return false }
        return line.entries.first == entry
    }
}

/// The heads of lines, the earliest due first, and of those the earliest come.
fileprivate struct CandidateHeap: Sendable {
    private var heap: [RunSchedule.Entry] = []

    var first: RunSchedule.Entry? { heap.first }

    mutating func push(_ entry: RunSchedule.Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0, isEarlier(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isEarlier(child, least) { least = child }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        (heap[left].due, heap[left].id) < (heap[right].due, heap[right].id)
    }
}
