import TestSupport
import Testing
import TunnelDomain

struct RunScheduleTests {
    static func time(_ seconds: Int) -> Timestamp { Timestamp(secondsSinceEpoch: Int64(seconds)) }

    private func entry(_ id: Int64, _ line: String, route: String = "r", due: Int = 0) -> RunSchedule.Entry {
        RunSchedule.Entry(id: id, route: route, line: line, due: Self.time(due))
    }

    @Test func `as many begin as the route allows, in the order they came`() {
        var schedule = RunSchedule()
        schedule.allow(2, for: "r")
        for id in 1...4 { schedule.add(entry(Int64(id), "l\(id)")) }
        let answer1 = schedule.begin(at: Self.time(0)).map(\.id)
        #expect(answer1 == [1, 2])
        let answer2 = schedule.begin(at: Self.time(0))
        #expect(answer2 == [])
        schedule.ended(entry(1, "l1"), next: nil)
        let answer3 = schedule.begin(at: Self.time(0)).map(\.id)
        #expect(answer3 == [3])
        #expect(schedule.waitingCount == 1)
        #expect(schedule.runningCount == 2)
    }

    @Test func `a line goes one by one, and a pause holds those behind it up`() {
        var schedule = RunSchedule()
        schedule.allow(9, for: "r")
        for id in 1...3 { schedule.add(entry(Int64(id), "key")) }
        schedule.add(entry(4, "other"))
        let answer4 = schedule.begin(at: Self.time(0)).map(\.id)
        #expect(answer4 == [1, 4])
        schedule.ended(entry(1, "key"), next: Self.time(5))
        let answer5 = schedule.begin(at: Self.time(4))
        #expect(answer5 == [])
        let answer6 = schedule.nextDue()
        #expect(answer6 == Self.time(5))
        let answer7 = schedule.begin(at: Self.time(5)).map(\.id)
        #expect(answer7 == [1])
        schedule.ended(entry(1, "key"), next: nil)
        let answer8 = schedule.begin(at: Self.time(5)).map(\.id)
        #expect(answer8 == [2])
    }

    @Test func `a route that is not allowed waits, and one that is taken away lets its runs end`() {
        var schedule = RunSchedule()
        schedule.add(entry(1, "a"))
        let answer9 = schedule.begin(at: Self.time(0))
        #expect(answer9 == [])
        let answer10 = schedule.nextDue()
        #expect(answer10 == nil)
        schedule.allow(1, for: "r")
        let answer11 = schedule.begin(at: Self.time(0)).map(\.id)
        #expect(answer11 == [1])
        schedule.allow(0, for: "r")
        schedule.add(entry(2, "b"))
        schedule.ended(entry(1, "a"), next: nil)
        let answer12 = schedule.begin(at: Self.time(0))
        #expect(answer12 == [])
        #expect(schedule.waitingCount == 1)
    }

    @Test func `a cancelled head lets the next one go, and adding twice is adding once`() {
        var schedule = RunSchedule()
        schedule.allow(1, for: "r")
        schedule.add(entry(1, "k", due: 9))
        schedule.add(entry(2, "k"))
        schedule.add(entry(2, "k"))
        #expect(schedule.waitingCount == 2)
        let answer13 = schedule.begin(at: Self.time(0))
        #expect(answer13 == [])
        let answer21 = schedule.remove(id: 1, route: "r", line: "k")
        #expect(answer21)
        let answer22 = schedule.remove(id: 1, route: "r", line: "k")
        #expect(!answer22)
        let answer14 = schedule.begin(at: Self.time(0)).map(\.id)
        #expect(answer14 == [2])
    }

    /// Random arrivals, beginnings, ends, pauses and cancellations against what the rules say in plain words.
    @Test func `never too many, never two of a line, never out of order, and nobody is forgotten`() throws {
        try checkProperty(cases: 300) { sample in
            var schedule = RunSchedule()
            let limits = ["a": sample.int(in: 1...3), "b": sample.int(in: 1...3)]
            for (route, limit) in limits { schedule.allow(limit, for: route) }
            var waiting: [Int64: RunSchedule.Entry] = [:]
            var running: [Int64: RunSchedule.Entry] = [:]
            var ended: Set<Int64> = []
            var now = 0
            var nextID: Int64 = 1
            func check(_ claim: Bool, _ text: String) throws { if !claim { throw Broken(text) } }
            for _ in 0..<sample.int(in: 0...60) {
                switch sample.int(in: 0...4) {
                case 0, 1:
                    let entry = RunSchedule.Entry(
                        id: nextID, route: sample.element(of: ["a", "b"]), line: sample.element(of: ["x", "y", "z"]),
                        due: Self.time(now))
                    schedule.add(entry)
                    waiting[nextID] = entry
                    nextID += 1
                case 2:
                    guard let id = running.keys.min(), let entry = running[id] else { continue }
                    running[id] = nil
                    if sample.bool() {
                        schedule.ended(entry, next: nil)
                        ended.insert(id)
                    } else {
                        var next = entry
                        next.due = Self.time(now + sample.int(in: 0...5))
                        schedule.ended(entry, next: next.due)
                        waiting[id] = next
                    }
                case 3:
                    guard let id = waiting.keys.sorted().last, let entry = waiting[id] else { continue }
                    waiting[id] = nil
                    ended.insert(id)
                    try check(schedule.remove(id: id, route: entry.route, line: entry.line), "a waiting run is not found")
                default: now += 1
                }
                for entry in schedule.begin(at: Self.time(now)) {
                    try check(waiting.removeValue(forKey: entry.id) == entry, "what begins did not wait")
                    try check(entry.due <= Self.time(now), "it begins too early")
                    let same = { (other: RunSchedule.Entry) in other.route == entry.route && other.line == entry.line }
                    try check(!running.values.contains(where: same), "two of a line at once")
                    try check(!waiting.values.contains { same($0) && $0.id < entry.id }, "out of order")
                    running[entry.id] = entry
                }
                for (route, limit) in limits {
                    let count = running.values.count { $0.route == route }
                    try check(count <= limit, "too many of a route")
                    // Whoever could begin has begun.
                    let isIdle = count < limit
                    let heads = Dictionary(grouping: waiting.values.filter { $0.route == route }, by: \.line)
                        .compactMapValues { $0.min { $0.id < $1.id } }
                    let couldBegin = heads.values.contains { head in
                        head.due <= Self.time(now) && !running.values.contains { $0.route == route && $0.line == head.line }
                    }
                    try check(!(isIdle && couldBegin), "a run is forgotten")
                }
                try check(schedule.waitingCount == waiting.count && schedule.runningCount == running.count, "miscounted")
            }
        }
    }

    struct Broken: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
