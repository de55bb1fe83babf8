internal import TestSupport
internal import Testing
@testable internal import culvert

struct RouteChangesTests {
    typealias Routes = [(name: String, settings: Int)]

    @Test func `what is new, other and gone is told by name`() {
        let old: Routes = [("a", 1), ("b", 1), ("c", 1)]
        let changes = RouteChanges(from: old, to: [("d", 1), ("b", 2), ("a", 1)])
        #expect(changes.added == ["d"] && changes.changed == ["b"] && changes.removed == ["c"])
        #expect(changes.description == "added d; changed b; removed c")
        #expect(RouteChanges(from: old, to: old).isEmpty)
        #expect(RouteChanges(from: old, to: old).description == "nothing has changed")
    }

    @Test func `the changes make the new list of the old one, and touch nothing else`() throws {
        try checkProperty { sample in
            func draw(_ sample: inout Sample) -> [String: Int] {
                let names = sample.list(upTo: 5) { $0.element(of: ["a", "b", "c", "d", "e"]) }
                var routes: [String: Int] = [:]
                for name in names { routes[name] = sample.int(in: 0...2) }
                return routes
            }
            let (old, new) = (draw(&sample), draw(&sample))
            let changes = RouteChanges(
                from: old.sorted { $0.key < $1.key }.map { (name: $0.key, settings: $0.value) },
                to: new.sorted { $0.key < $1.key }.map { (name: $0.key, settings: $0.value) })
            var made = old
            for name in changes.removed { made[name] = nil }
            for name in changes.added + changes.changed { made[name] = new[name] }
            try sample.check(made, is: new, "the list that was made")
            try sample.check(Set(changes.added).isDisjoint(with: old.keys), "added what was there")
            try sample.check(changes.changed.allSatisfy { old[$0] != nil && old[$0] != new[$0] }, "changed what is the same")
            try sample.check(changes.isEmpty, is: old == new)
        }
    }
}
